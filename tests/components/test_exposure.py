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
    assert rest["rules"][0]["backendRefs"] == [{"name": "mnist", "port": REST}]
    assert rest["rules"][0]["timeouts"] == {"request": "25s"}
    assert {match["method"]["service"] for match in grpc["rules"][0]["matches"]} == {
        "tensorflow.serving.PredictionService",
        "tensorflow.serving.ModelService",
        "grpc.health.v1.Health",
        "inference.GRPCInferenceService",
    }
    assert (deployed.outputs["rest_url"], deployed.outputs["grpc_target"]) == (
        "https://mnist.example.com",
        "mnist.example.com:443",
    )


def test_an_ingress_routes_rest_and_shows_its_certificate():
    exposure = {"ingressClass": "nginx", "host": "mnist.example.com", "tlsSecret": "mnist-tls"}
    deployed = deploy(exposure=exposure)
    spec = deployed.one("Ingress").inputs["spec"]
    assert spec["tls"] == [{"hosts": ["mnist.example.com"], "secretName": "mnist-tls"}]
    for path in spec["rules"][0]["http"]["paths"]:
        assert path["backend"] == {"service": {"name": "mnist", "port": {"name": "rest"}}}
    assert deployed.outputs["rest_url"] == "https://mnist.example.com"
    assert deployed.outputs["grpc_target"] == "mnist.tf-serving.svc:8500"


ROUTED = {
    "/v1/models/mnist": True,
    "/v1/models/mnist/metadata": True,
    "/v1/models/mnist/docs": True,
    "/v1/models/mnist:predict": True,
    "/v1/models/mnist:classify": True,
    "/v1/models/mnist:regress": True,
    "/v1/models/mnist/versions/7:predict": True,
    "/v1/models/mnist/labels/canary:predict": True,
    "/v2/models/mnist/infer": True,
    "/v1/models/mnist2": False,
    "/v1/models/mnist2:predict": False,
    "/v2/models/mnist2/infer": False,
    "/v1/models": False,
    "/metrics": False,
    "/": False,
}


@pytest.mark.parametrize(("path", "is_routed"), ROUTED.items(), ids=ROUTED)
def test_every_path_of_the_model_is_routed_and_none_of_another(path, is_routed):
    assert routed_by_the_gateway(path) is routed_by_the_ingress(path) is is_routed


def routed_by_the_gateway(path):
    (rule,) = (
        deploy(exposure={"gateway": "gateways/public", "host": "a.example.com"})
        .one("HTTPRoute")
        .inputs["spec"]["rules"]
    )
    return any(is_matched(path, each["path"]["type"], each["path"]["value"]) for each in rule["matches"])


def routed_by_the_ingress(path):
    (rule,) = (
        deploy(exposure={"ingressClass": "nginx", "host": "a.example.com"})
        .one("Ingress")
        .inputs["spec"]["rules"]
    )
    return any(is_matched(path, each["pathType"], each["path"]) for each in rule["http"]["paths"])


def is_matched(path, how, value):
    """Compare as Gateway API and Ingress say: a prefix by whole elements."""
    if how == "Exact":
        return path == value
    assert how in {"PathPrefix", "Prefix"}
    return f"{path}/".startswith(f"{value}/")


@pytest.mark.parametrize("kind", ["HTTPRoute", "GRPCRoute", "Ingress"])
def test_nothing_is_routed_from_outside_unless_asked(kind):
    assert deploy().all(kind) == []
