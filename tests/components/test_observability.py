"""Prometheus is told of ports and metrics that exist, and of nothing unless asked."""

import re

import pytest

from serving.metrics import Metrics
from tests.components.test_platform import deploy

ASKED = {"observability": {"podMonitor": True, "alerts": True, "labels": {"release": "prometheus"}}}


def rules(**observability) -> dict[str, dict]:
    spec = deploy(observability={"alerts": True, **observability}).one("PrometheusRule").inputs["spec"]
    return {rule["alert"]: rule for rule in spec["groups"][0]["rules"]}


@pytest.mark.parametrize("kind", ["PodMonitor", "PrometheusRule"])
def test_nothing_of_the_operator_is_declared_unless_asked(kind):
    assert deploy().all(kind) == []
    assert deploy(**ASKED).one(kind).inputs["metadata"]["labels"]["release"] == "prometheus"


def test_the_monitor_reads_a_port_that_the_pods_have():
    deployed = deploy(**ASKED)
    (endpoint,) = deployed.one("PodMonitor").inputs["spec"]["podMetricsEndpoints"]
    pod = deployed.one("Deployment").inputs["spec"]["template"]
    assert endpoint["port"] in {port["name"] for port in pod["spec"]["containers"][0]["ports"]}
    selector = deployed.one("PodMonitor").inputs["spec"]["selector"]["matchLabels"]
    assert selector.items() <= pod["metadata"]["labels"].items()


def test_every_metric_of_a_rule_is_one_that_the_server_describes():
    described = set(re.findall(r"^# TYPE (\w+)", Metrics().page().decode(), flags=re.MULTILINE))
    used = {name for rule in rules().values() for name in re.findall(r"tfsp_\w+", rule["expr"])}
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in used}
    assert len(families) >= 4
    assert families <= described | {f"{name}_total" for name in described}


def test_objectives_come_from_the_configuration():
    changed = rules(errorPercent=5, latencyMilliseconds=40)
    assert changed["ModelFails"]["expr"].endswith("> 0.05")
    assert changed["ModelIsSlow"]["expr"].endswith("> 0.04")


def test_a_version_that_loads_is_not_yet_a_failure():
    deployed = deploy(observability={"alerts": True}, model={"loadSeconds": 300})
    (rule,) = (
        each
        for each in deployed.one("PrometheusRule").inputs["spec"]["groups"][0]["rules"]
        if each["alert"] == "ModelVersionNotAvailable"
    )
    assert rule["for"] == "660s"
