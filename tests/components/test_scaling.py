"""What is measured: series that the API layer has, of the Deployment that is scaled, by one owner."""

import re

import pytest

from components.config import AutoscalingConfig
from components.scaling import metrics, triggers
from serving.metrics import Metrics
from tests.components.test_platform import deploy

KEDA = {
    "scaler": "keda",
    "inFlightRequests": 16,
    "queueWaitMilliseconds": 50,
    "prometheusUrl": "http://prometheus.monitoring:9090",
}


def scaled_object(**autoscaling) -> dict:
    return deploy(autoscaling={**KEDA, **autoscaling}).one("ScaledObject").inputs["spec"]


def test_the_number_of_pods_has_one_owner():
    by_keda = deploy(autoscaling=KEDA)
    assert by_keda.all("HorizontalPodAutoscaler") == []
    assert by_keda.one("ScaledObject").inputs["spec"]["scaleTargetRef"] == {"name": "mnist"}
    assert deploy().all("ScaledObject") == []
    off = deploy(autoscaling={**KEDA, "enabled": False})
    assert off.all("ScaledObject") + off.all("HorizontalPodAutoscaler") == []


@pytest.mark.parametrize("autoscaling", [{}, KEDA], ids=["hpa", "keda"])
def test_whoever_scales_a_hot_deployment_is_not_set_back_to_the_minimum(autoscaling):
    # A field that the program ignores is not among the inputs that change: the first value stands in them once.
    assert (
        deploy(autoscaling={**autoscaling, "minReplicas": 2}).one("Deployment").inputs["spec"]["replicas"]
        == 2
    )


def test_keda_is_as_patient_as_our_own_autoscaler():
    behavior = deploy().one("HorizontalPodAutoscaler").inputs["spec"]["behavior"]
    asked = scaled_object()["advanced"]["horizontalPodAutoscalerConfig"]
    assert asked == {"name": "mnist", "behavior": behavior}
    assert (scaled_object(minReplicas=2)["minReplicaCount"], scaled_object()["maxReplicaCount"]) == (2, 3)


def test_keda_takes_over_the_autoscaler_that_was_there_before():
    before = deploy().one("HorizontalPodAutoscaler").inputs["metadata"]["name"]
    made = deploy(autoscaling=KEDA).one("ScaledObject").inputs
    assert made["metadata"]["annotations"] == {"scaledobject.keda.sh/transfer-hpa-ownership": "true"}
    assert made["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["name"] == before


def test_keda_asks_prometheus_for_averages_and_never_takes_silence_for_zero():
    cpu, in_flight, wait = scaled_object()["triggers"]
    assert cpu == {
        "type": "cpu",
        "metricType": "Utilization",
        "metadata": {"value": "70", "containerName": "server"},
    }
    assert (in_flight["metricType"], in_flight["metadata"]["threshold"]) == ("AverageValue", "16")
    assert (wait["metricType"], wait["metadata"]["threshold"]) == ("Value", "50")
    assert {each["metadata"]["ignoreNullValues"] for each in (in_flight, wait)} == {"false"}


def queries() -> list[str]:
    config = AutoscalingConfig(cpu_percent=0, in_flight_requests=1, queue_wait_milliseconds=1)
    found = triggers(config, container="server", model="mnist", namespace="ml", deployment="mnist")
    return [each["metadata"]["query"] for each in found]


def test_every_series_of_a_query_is_one_that_the_server_writes():
    described = set(re.findall(r"^# TYPE (\w+)", Metrics().page().decode(), flags=re.MULTILINE))
    used = {
        re.sub(r"_(sum|count)$", "", name) for query in queries() for name in re.findall(r"tfsp_\w+", query)
    }
    assert used == {"tfsp_request_seconds", "tfsp_requests_total", "tfsp_queue_requests"}
    assert used <= described


@pytest.mark.parametrize(
    ("pod", "counts"),
    [("mnist-5d8f7c-x2v9q", True), ("mnist-canary-5d8f7c-x2v9q", False), ("resnet-5d8f7c-x2v9q", False)],
)
def test_the_load_of_a_canary_does_not_scale_the_stable_pods(pod, counts):
    patterns = {pattern for query in queries() for pattern in re.findall(r'pod=~"([^"]+)"', query)}
    (pattern,) = patterns
    assert bool(re.fullmatch(pattern, pod)) is counts


def test_a_metrics_adapter_is_asked_for_the_names_that_the_documentation_has_rules_for():
    config = AutoscalingConfig(cpu_percent=0, in_flight_requests=16, queue_wait_milliseconds=50)
    targets = {each["pods"]["metric"]["name"]: each["pods"]["target"] for each in metrics(config, "server")}
    assert targets == {
        "tfsp_in_flight_requests": {"type": "AverageValue", "averageValue": "16"},
        "tfsp_queue_wait_seconds": {"type": "AverageValue", "averageValue": "50m"},
    }
