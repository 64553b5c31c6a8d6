"""Doors: the whole matrix of who reaches which port, by an evaluator of the policies that are declared."""

from typing import Any

import pytest

from components import naming
from tests.components.reachability import Place, reaches
from tests.components.test_platform import deploy

MNIST = Place(namespace="tf-serving", labels=naming.selector("mnist"))
RESNET = Place(namespace="tf-serving", labels=naming.selector("resnet"))
SHOP = Place(namespace="shop")
GATEWAY = Place(namespace="gateways")
MONITORING = Place(namespace="monitoring")
OUTSIDE = Place()
PLACES = {
    "mnist": MNIST,
    "resnet": RESNET,
    "shop": SHOP,
    "gateway": GATEWAY,
    "monitoring": MONITORING,
    "outside": OUTSIDE,
}
GRPC, REST, METRICS, PROFILER = 8500, 8501, 8502, 9012
EVERY_POD = {"mnist", "resnet", "shop", "gateway", "monitoring"}


def who_reaches(port: int, **sections: dict[str, Any]) -> set[str]:
    policies = [each.inputs for each in deploy(**sections).all("NetworkPolicy")]
    return {name for name, place in PLACES.items() if reaches(place, MNIST, port, policies)}


OTHERS = EVERY_POD - {"mnist", "resnet"}
"""Pods of the stack's own namespace may not ask one another: they are cut off in their own direction."""

MATRIX = {
    "inside the cluster": ({}, OTHERS, {"monitoring"}),
    "one namespace": ({"exposure": {"clientNamespaces": ["shop"]}}, {"shop"}, {"monitoring"}),
    "one namespace and a gateway": (
        {
            "exposure": {
                "clientNamespaces": ["shop"],
                "gateway": "gateways/public",
                "host": "mnist.example.com",
            }
        },
        {"shop", "gateway"},
        {"monitoring"},
    ),
    "node port": ({"server": {"serviceType": "NodePort"}}, OTHERS | {"outside"}, {"monitoring"}),
    "no monitoring": ({"exposure": {"monitoringNamespaces": []}}, OTHERS, set()),
}


@pytest.mark.parametrize(("sections", "clients", "monitors"), MATRIX.values(), ids=MATRIX.keys())
def test_each_port_is_reached_by_those_it_is_for_and_by_nobody_else(sections, clients, monitors):
    assert who_reaches(REST, **sections) == clients
    assert who_reaches(GRPC, **sections) == clients
    assert who_reaches(METRICS, **sections) == monitors
    assert who_reaches(PROFILER, **sections) == set()


@pytest.mark.parametrize(
    "target", [SHOP, MONITORING, OUTSIDE, RESNET], ids=["shop", "monitoring", "outside", "resnet"]
)
@pytest.mark.parametrize("port", [53, 80, 443, REST])
def test_a_model_reaches_nothing(target, port):
    policies = [each.inputs for each in deploy().all("NetworkPolicy")]
    assert not reaches(MNIST, target, port, policies)


def test_without_policies_everything_is_open():
    assert who_reaches(PROFILER, exposure={"networkPolicies": False}) == {*PLACES}


def test_a_gateway_routes_rest_by_the_models_path_and_grpc_by_service():
    exposure = {"gateway": "gateways/public", "host": "mnist.example.com"}
    deployed = deploy(exposure=exposure, server={"requestTimeoutSeconds": 20})
    rest, grpc = deployed.one("HTTPRoute").inputs["spec"], deployed.one("GRPCRoute").inputs["spec"]
    for route in (rest, grpc):
        assert route["parentRefs"] == [{"namespace": "gateways", "name": "public"}]
        assert route["hostnames"] == ["mnist.example.com"]
    assert rest["rules"][0]["matches"] == [{"path": {"type": "PathPrefix", "value": "/v1/models/mnist"}}]
    assert rest["rules"][0]["backendRefs"] == [{"name": "mnist", "port": REST}]
    assert rest["rules"][0]["timeouts"] == {"request": "25s"}
    assert {"method": {"service": "tensorflow.serving.PredictionService"}} in grpc["rules"][0]["matches"]
    assert (deployed.outputs["rest_url"], deployed.outputs["grpc_target"]) == (
        "https://mnist.example.com",
        "mnist.example.com:443",
    )


def test_an_ingress_routes_rest_and_shows_its_certificate():
    exposure = {"ingressClass": "nginx", "host": "mnist.example.com", "tlsSecret": "mnist-tls"}
    deployed = deploy(exposure=exposure)
    spec = deployed.one("Ingress").inputs["spec"]
    assert spec["tls"] == [{"hosts": ["mnist.example.com"], "secretName": "mnist-tls"}]
    (path,) = spec["rules"][0]["http"]["paths"]
    assert path["backend"] == {"service": {"name": "mnist", "port": {"name": "rest"}}}
    assert deployed.outputs["rest_url"] == "https://mnist.example.com"
    assert deployed.outputs["grpc_target"] == "mnist.tf-serving.svc:8500"


@pytest.mark.parametrize("kind", ["HTTPRoute", "GRPCRoute", "Ingress"])
def test_nothing_is_routed_from_outside_unless_asked(kind):
    assert deploy().all(kind) == []
