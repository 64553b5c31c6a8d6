"""What is declared for a Gateway, for KEDA and for the Prometheus operator, applied to an API server with their real definitions."""

import copy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.commands import deployment_generations, kubectl, run
from tests.e2e.ecosystem.declared import Object, declared, live, lost, strictly_applied
from tests.e2e.settings import another_stack, changed, up

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

STACK: Final = "ecosystem"
NAMESPACE: Final = f"tf-serving-{STACK}"
CUSTOM: Final = {"HTTPRoute", "GRPCRoute", "ScaledObject", "PodMonitor", "PrometheusRule"}
KEDA: Final = {
    "scaler": "keda",
    "prometheusUrl": "http://prometheus.monitoring:9090",
    "inFlightRequests": 16,
    "queueWaitMilliseconds": 20,
    "cpuPercent": 70,
    "maxReplicas": 10,
}


@pytest.fixture(scope="module")
def stack(definitions: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield a stack that asks for everything, with a canary behind the Gateway; there is no controller that answers."""
    newer = tmp_path_factory.mktemp("newer") / "mnist"
    run(sys.executable, "examples/mnist/train.py", f"--output-dir={newer}", "--steps=1200")

    def everything(sections: dict[str, Any]) -> None:
        sections["model"]["loadSeconds"] = 30
        sections["autoscaling"] = KEDA
        sections["canary"] = {"source": str(newer), "weightPercent": 20, "shadowPercent": 30}
        sections["exposure"] = {"gateway": "gateways/public", "host": "mnist.example.com"}
        sections["observability"] = {"podMonitor": True, "alerts": True, "latencyMilliseconds": 80}

    with another_stack(STACK, everything) as name:
        up(name)
        yield name


def test_the_api_server_takes_every_object_and_loses_no_field(stack: str, tmp_path: Path) -> None:
    objects = of(stack)
    assert {name.partition("/")[0] for name in objects} >= CUSTOM
    judged = strictly_applied(list(objects.values()), tmp_path)
    assert judged.returncode == 0, judged.stderr
    assert [f"{name}{each}" for name in objects for each in lost(objects[name], live(objects[name]))] == []


@pytest.mark.parametrize("kind", sorted(CUSTOM))
def test_a_field_that_the_definition_does_not_know_would_have_been_seen(
    stack: str, kind: str, tmp_path: Path
) -> None:
    item = copy.deepcopy(next(each for each in of(stack).values() if each["kind"] == kind))
    item["spec"]["misspelt"] = 1
    judged = strictly_applied([item], tmp_path)
    assert judged.returncode != 0
    assert "misspelt" in judged.stderr


def test_a_second_time_nothing_is_to_be_done_and_nothing_has_drifted(stack: str) -> None:
    run("bin/pulumi", "preview", "--refresh", "--expect-no-changes", "--stack", stack)
    run("bin/pulumi", "up", "--yes", "--skip-preview", "--expect-no-changes", "--stack", stack)


def test_a_canarys_share_changes_in_the_routes_and_nowhere_else(stack: str) -> None:
    before, routes = (
        deployment_generations(NAMESPACE),
        {kind: route(kind) for kind in ("httproute", "grpcroute")},
    )
    assert {weights(each) for each in routes.values()} == {(80, 20)}

    def more(sections: dict[str, Any]) -> None:
        sections["canary"] |= {"weightPercent": 50, "shadowPercent": 100}

    with changed(more, stack):
        up(stack)
        after = {kind: route(kind) for kind in routes}
        assert {weights(each) for each in after.values()} == {(50, 50)}
        assert uids(after) == uids(routes)
        assert deployment_generations(NAMESPACE) == before
    up(stack)
    assert {weights(route(kind)) for kind in routes} == {(80, 20)}


def test_from_one_scaler_to_the_other_and_back_there_is_one_of_them(stack: str) -> None:
    before = deployment_generations(NAMESPACE)
    assert scalers() == {"scaledobject"}

    def without_keda(sections: dict[str, Any]) -> None:
        sections["autoscaling"] = {"scaler": "hpa", "maxReplicas": 10}

    with changed(without_keda, stack):
        up(stack)
        assert scalers() == {"horizontalpodautoscaler"}
    up(stack)
    assert scalers() == {"scaledobject"}
    assert deployment_generations(NAMESPACE) == before


def test_after_a_destroy_nothing_of_it_is_left(stack: str) -> None:
    run("bin/pulumi", "destroy", "--yes", "--skip-preview", "--stack", stack)
    for kind in CUSTOM:
        found = kubectl("get", kind, "--all-namespaces")["items"]
        assert [each for each in found if each["metadata"]["namespace"] == NAMESPACE] == []


def of(stack: str) -> dict[str, Object]:
    return declared(run("bin/pulumi", "stack", "export", "--stack", stack).stdout)


def route(kind: str) -> Any:
    return kubectl("get", kind, "mnist", namespace=NAMESPACE)


def weights(item: Object) -> tuple[int, ...]:
    return tuple(each["weight"] for each in item["spec"]["rules"][0]["backendRefs"])


def uids(items: dict[str, Object]) -> set[str]:
    return {each["metadata"]["uid"] for each in items.values()}


def scalers() -> set[str]:
    """Return the kinds of which the stable pods have one."""
    kinds = ("scaledobject", "horizontalpodautoscaler")
    return {
        kind
        for kind in kinds
        if any(
            each["metadata"]["name"] == "mnist" for each in kubectl("get", kind, namespace=NAMESPACE)["items"]
        )
    }
