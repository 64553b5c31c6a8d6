"""Prometheus is told of ports and metrics that exist, and of nothing unless asked."""

import json
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
    assert rules(availabilityPermille=990)["ModelBurnsItsBudgetFast"]["expr"].count("> 0.144") == 2
    assert changed["ModelIsSlow"]["expr"].endswith("> 0.04")


def test_a_version_that_loads_is_not_yet_a_failure():
    deployed = deploy(observability={"alerts": True}, model={"loadSeconds": 300})
    (rule,) = (
        each
        for each in deployed.one("PrometheusRule").inputs["spec"]["groups"][0]["rules"]
        if each["alert"] == "ModelVersionNotAvailable"
    )
    assert rule["for"] == "660s"


@pytest.mark.parametrize(
    ("name", "limit", "windows"), [("Fast", "0.0144", ("[1h]", "[5m]")), ("Slow", "0.006", ("[6h]", "[30m]"))]
)
def test_a_budget_burns_only_over_a_long_and_a_short_window_together(name, limit, windows):
    long, short = rules()[f"ModelBurnsItsBudget{name}"]["expr"].split(" and ")
    assert windows[0] in long and long.endswith(f"> {limit}")
    assert windows[1] in short and short.endswith(f"> {limit}")


def test_a_canary_is_compared_with_the_stable_version_by_the_label_that_the_monitor_writes():
    assert "CanaryFailsMore" not in rules()
    deployed = deploy(
        canary={"source": "build/next", "weightPercent": 50},
        observability={"alerts": True, "podMonitor": True},
    )
    (rule,) = (
        each
        for each in deployed.one("PrometheusRule").inputs["spec"]["groups"][0]["rules"]
        if each["alert"] == "CanaryFailsMore"
    )
    (label,) = deployed.one("PodMonitor").inputs["spec"]["podTargetLabels"]
    written = re.sub(r"[^a-zA-Z0-9_]", "_", label)
    assert set(re.findall(rf'{written}="(\w+)"', rule["expr"])) == {"canary", "stable"}


def board() -> dict:
    config_map = deploy(observability={"dashboard": True}).one("ConfigMap").inputs
    assert config_map["metadata"]["labels"]["grafana_dashboard"] == "1"
    return json.loads(config_map["data"]["mnist.json"])


def test_a_dashboard_is_declared_only_when_asked_for():
    assert deploy().all("ConfigMap") == []
    assert board()["title"] == "Model mnist"


def test_every_panel_has_a_place_of_its_own_and_shows_what_the_server_writes():
    panels = board()["panels"]
    places = {(each["gridPos"]["x"], each["gridPos"]["y"]) for each in panels}
    assert len(places) == len({each["id"] for each in panels}) == len(panels) >= 8
    described = set(re.findall(r"^# TYPE (\w+)", Metrics().page().decode(), flags=re.MULTILINE))
    expressions = [target["expr"] for each in panels for target in each["targets"]]
    used = {
        re.sub(r"_(bucket|count|sum)$", "", name)
        for text in expressions
        for name in re.findall(r"tfsp_\w+", text)
    }
    assert used <= described
    assert all('namespace="tf-serving",model="mnist"' in text for text in expressions)
