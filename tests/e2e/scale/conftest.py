"""The fleet: a thousand nodes and two hundred models, made once for all tests here, with what it took."""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import ROOT, kubectl, run
from tests.e2e.scale import figures, fleet, stack
from tests.e2e.scale.manifests import apply, delete_all
from tests.e2e.scale.reading import is_ready, takes_pods

NAMESPACE = "tf-serving-scale"
IDLE_SECONDS = 30
"""How long the idle fleet is watched: three rounds of lease renewals."""
PATIENCE_SECONDS = 600
"""How long a busy machine may take for anything here. What it does take is reported, and not judged."""


@dataclass
class Fleet:
    """What stands, and the figures of how it came to stand."""

    pids: dict[str, int]
    figures: dict[str, Any] = field(default_factory=dict)
    placed_pods: list[dict[str, Any]] = field(default_factory=list)
    """The pods at the moment when all were ready."""
    placed_on: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The stand-in nodes at that moment, by name."""

    def pods(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = kubectl("get", "pods", namespace=NAMESPACE)["items"]
        return items

    def nodes(self) -> dict[str, dict[str, Any]]:
        """Return the stand-in nodes by name."""
        found = kubectl("get", "nodes", f"--selector={fleet.LABEL}")["items"]
        return {node["metadata"]["name"]: node for node in found}


@pytest.fixture(scope="package")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Make the nodes and place the models, and clear both away whatever happens."""
    run("bin/cluster", "up")
    status = json.loads(run("bin/cluster", "status", "--json").stdout)
    pids = {name: each["pid"] for name, each in status["components"].items()}
    clear()
    with fleet.kubelets(status["kubeconfig"], tmp_path_factory.mktemp("kwok") / "log") as kwok:
        try:
            made = Fleet(pids={**pids, "kwok": kwok})
            _make(made)
            report(made.figures)
            yield made
        finally:
            before = time.monotonic()
            clear()
            report(
                {
                    "seconds_to_clear": round(time.monotonic() - before, 1),
                    "rss_mib_cleared": figures.read(pids).rss_mib,
                }
            )


def _make(made: Fleet) -> None:
    before = time.monotonic()
    objects = stack.two_hundred_models(NAMESPACE)
    empty = figures.read(made.pids)
    start = time.monotonic()
    for pool in fleet.POOLS:
        fleet.add(pool)
    wait_until(lambda: sum(takes_pods(node) for node in made.nodes().values()) == 1000)
    nodes_ready = time.monotonic()
    # The first round of leases is part of making the nodes, not of having them.
    idle = figures.read(made.pids)
    time.sleep(IDLE_SECONDS)  # nothing is waited for: this is what is measured
    loaded = figures.read(made.pids)
    applied_from = time.monotonic()
    apply(objects)
    applied = time.monotonic()
    wanted = sum(stack.replicas(number) for number in range(stack.MODELS))
    wait_until(lambda: sum(is_ready(pod) for pod in made.pods()) == wanted)
    placed = time.monotonic()
    made.placed_pods, made.placed_on = made.pods(), made.nodes()
    full = figures.read(made.pids)
    made.figures = {
        "nodes": 1000,
        "models": stack.MODELS,
        "pods": wanted,
        "cores": os.cpu_count(),
        "objects": len(objects),
        "seconds_to_declare": round(start - before, 1),
        "seconds_until_nodes_take_pods": round(nodes_ready - start, 1),
        "seconds_to_apply": round(applied - applied_from, 1),
        "seconds_from_apply_to_all_ready": round(placed - applied_from, 1),
        "rss_mib_empty": empty.rss_mib,
        "rss_mib_with_nodes": loaded.rss_mib,
        "rss_mib_with_pods": full.rss_mib,
        "idle": figures.between(idle, loaded),
        "placing": figures.between(loaded, full),
    }


def clear() -> None:
    """Remove the models, then namespace and nodes.

    What makes pods goes first and the pods by force: nobody ends those of lost nodes, and a namespace waits for a pod's time to end.
    """
    for kind in ("apis/apps/v1/{}/deployments", "apis/apps/v1/{}/replicasets", "api/v1/{}/pods"):
        delete_all(f"/{kind.format(f'namespaces/{NAMESPACE}')}?gracePeriodSeconds=0")
    run("bin/cluster", "kubectl", "delete", "namespace", NAMESPACE, "--wait=false", "--ignore-not-found")
    fleet.remove_all()
    wait_until(lambda: not fleet.names())
    wait_until(
        lambda: run("bin/cluster", "kubectl", "get", "namespace", NAMESPACE, check=False).returncode != 0
    )


def wait_until(question: Callable[[], object]) -> float:
    """Ask until the answer is yes, and return how long that took: the cluster tells nobody when it has caught up."""
    start = time.monotonic()
    while not question():
        if time.monotonic() - start > PATIENCE_SECONDS:
            pytest.fail(f"not within {PATIENCE_SECONDS} s")
        time.sleep(1)
    return time.monotonic() - start


def report(found: dict[str, Any]) -> None:
    """Print figures, and keep them where docs/scale.md says that they are."""
    path = ROOT / "build" / "scale.json"
    path.parent.mkdir(exist_ok=True)
    before = json.loads(path.read_text()) if path.exists() else {}
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as draft:
        json.dump(before | found, draft, indent=2)
    Path(draft.name).rename(path)
    print(f"\n{json.dumps(found, indent=2)}")  # the figures are what one runs this for
