"""A node is lost (F12), and a roll-out finds no GPU free (F14)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.e2e.commands import kubectl, run
from tests.e2e.manifests import apply
from tests.e2e.scale import fleet, stack
from tests.e2e.scale.conftest import NAMESPACE, PATIENCE_SECONDS, Fleet, report, wait_until
from tests.e2e.scale.fleet import ZONES, Pool
from tests.e2e.scale.reading import by_model, hosts, is_live, is_ready, model, overbooked, zone_skew

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

SCARCE = Pool(name="t4", nodes=3, product="Tesla-T4", resource="nvidia.com/gpu", devices=1)


def test_the_pods_of_a_lost_node_are_replaced_and_stay_spread(standing: Fleet) -> None:
    node = hosts(standing.pods())[0]
    hit = {model(pod) for pod in standing.pods() if pod["spec"]["nodeName"] == node}
    with lost(node):
        seconds = wait_until(lambda: are_whole_without(node, hit, standing))
        pods, nodes = standing.pods(), standing.nodes()
        assert overbooked(pods, nodes) == {}
        for name in hit:
            survivors = by_model(pods)[name]
            assert len(set(hosts(survivors))) == len(survivors)
            assert zone_skew(survivors, nodes, ZONES) <= 1
    report({"seconds_until_pods_of_a_lost_node_are_replaced": round(seconds, 1)})


def test_a_rollout_with_no_gpu_free_exchanges_pods_in_place_and_ends(standing: Fleet) -> None:
    with scarce_gpus():
        deploy_scarce(version=7, available=0)
        assert rolled_out()
        deploy_scarce(version=8, available=0)
        assert rolled_out()
        assert {pod["metadata"]["labels"]["app.kubernetes.io/version"] for pod in scarce_pods()} == {"8"}
        assert overbooked(scarce_pods(), standing.nodes()) == {}


def test_a_rollout_that_counts_on_gpus_that_are_not_there_says_so_and_old_pods_stay(standing: Fleet) -> None:
    assert standing
    with scarce_gpus():
        deploy_scarce(version=7, available=0)
        assert rolled_out()
        deploy_scarce(version=8, available=9, pull_seconds=5)
        assert not rolled_out()
        ready = [pod for pod in scarce_pods() if is_ready(pod)]
        (waiting,) = [pod for pod in scarce_pods() if not is_ready(pod)]
        assert [pod["metadata"]["labels"]["app.kubernetes.io/version"] for pod in ready] == ["7"] * 3
        assert "Insufficient nvidia.com/gpu" in waiting["status"]["conditions"][0]["message"]


def are_whole_without(node: str, models: set[str], standing: Fleet) -> bool:
    found = by_model(standing.pods())
    wanted = {stack.name(number): stack.replicas(number) for number in range(stack.MODELS)}
    return all(
        sum(is_ready(pod) and pod["spec"]["nodeName"] != node for pod in found[name]) == wanted[name]
        for name in models
    )


def deploy_scarce(*, version: int, available: int, pull_seconds: int = 300) -> None:
    sections: dict[str, dict[str, Any]] = {
        "model": {"name": "scarce", "source": "build/scarce", "loadSeconds": 5},
        "gpu": {"count": 1, "product": SCARCE.product, "available": available},
        "rollout": {"pullSeconds": pull_seconds, "readySeconds": 1},
        "server": {"replicas": 3, "requestTimeoutSeconds": 1},
    }
    apply(stack.manifests(NAMESPACE, version=version, **sections))


def scarce_pods() -> list[dict[str, Any]]:
    found = kubectl("get", "pods", "--selector=app.kubernetes.io/instance=scarce", namespace=NAMESPACE)
    return [pod for pod in found["items"] if is_live(pod)]


def rolled_out() -> bool:
    """Wait until the roll-out has ended, well or not."""
    done = run(
        "bin/cluster", "kubectl", "rollout", "status", "deployment/scarce", f"--namespace={NAMESPACE}",
        f"--timeout={PATIENCE_SECONDS}s", check=False,
    )  # fmt: skip
    assert "timed out" not in done.stderr, done.stderr
    return done.returncode == 0


@contextmanager
def lost(node: str) -> Iterator[None]:
    fleet.lose(node)
    try:
        yield
    finally:
        fleet.find(node)


@contextmanager
def scarce_gpus() -> Iterator[None]:
    fleet.add(SCARCE)
    try:
        yield
    finally:
        run(
            "bin/cluster", "kubectl", "delete", "deployment,service,pdb", f"--namespace={NAMESPACE}",
            "--selector=app.kubernetes.io/instance=scarce",
        )  # fmt: skip
        wait_until(lambda: not scarce_pods())
        for number in range(SCARCE.nodes):
            run("bin/cluster", "kubectl", "delete", "node", f"{SCARCE.name}-{number:03d}")
