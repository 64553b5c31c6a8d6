"""Deployment and Service: one rollout rule for each kind of node, and a Service that shows only the API layer."""

import pytest

from tests.components.test_platform import deploy


@pytest.mark.parametrize(
    ("gpu", "surge", "unavailable"),
    [
        ({}, 1, 0),
        ({"count": 1}, 0, 1),
        ({"count": 1, "available": 3}, 0, 1),
        ({"count": 1, "available": 4}, 1, 0),
        ({"count": 2, "available": 7}, 0, 1),
        ({"count": 2, "available": 8}, 1, 0),
    ],
    ids=["cpu", "unknown", "all in use", "one to spare", "half of one to spare", "two to spare"],
)
def test_a_rollout_starts_a_pod_only_where_one_can_run(gpu, surge, unavailable):
    spec = deploy(gpu=gpu, autoscaling={"maxReplicas": 3}).one("Deployment").inputs["spec"]
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable},
    }


def test_the_service_shows_rest_and_grpc_and_not_the_metrics():
    ports = {port["name"]: port["port"] for port in deploy().one("Service").inputs["spec"]["ports"]}
    assert ports == {"grpc": 8500, "rest": 8501}


@pytest.mark.parametrize(
    ("service_type", "skips"), [("ClusterIP", True), ("NodePort", True), ("LoadBalancer", False)]
)
def test_only_an_address_from_outside_is_waited_for(service_type, skips):
    metadata = deploy(server={"serviceType": service_type}).one("Service").inputs["metadata"]
    assert (metadata.get("annotations", {}).get("pulumi.com/skipAwait") == "true") is skips


def test_node_ports_are_the_ones_asked_for():
    server = {"serviceType": "NodePort", "restNodePort": 30_851, "grpcNodePort": 30_850}
    ports = {
        port["name"]: port["nodePort"]
        for port in deploy(server=server).one("Service").inputs["spec"]["ports"]
    }
    assert ports == {"rest": 30_851, "grpc": 30_850}


def test_selectors_agree():
    deployed = deploy()
    deployment = deployed.one("Deployment").inputs["spec"]
    selector = deployment["selector"]["matchLabels"]
    assert selector.items() <= deployment["template"]["metadata"]["labels"].items()
    assert deployed.one("Service").inputs["spec"]["selector"] == selector
    assert deployed.one("PodDisruptionBudget").inputs["spec"]["selector"]["matchLabels"] == selector
