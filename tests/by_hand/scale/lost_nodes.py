"""Nodes fall silent: their pods start on others, on hosts of their own as before, and no device is given twice (F12)."""

import os
import signal
from collections import Counter

import pytest

from tests.by_hand.scale.conftest import Fleet, report, wait_until
from tests.by_hand.scale.fleet import FEW, KUBELET_LABEL
from tests.by_hand.scale.reading import by_model, hosts, is_live, is_ready, model, overbooked

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]


def test_the_pods_of_lost_nodes_start_on_others(standing: Fleet) -> None:
    lost = {
        name for name, node in standing.placed_on.items() if node["metadata"]["labels"][KUBELET_LABEL] == FEW
    }
    moved = {model(pod) for pod in standing.placed_pods if pod["spec"]["nodeName"] in lost}
    assert moved, "no model had a pod on the nodes that are lost here"
    wanted = {name: len(pods) for name, pods in by_model(standing.placed_pods).items() if name in moved}
    os.kill(standing.doomed, signal.SIGKILL)
    seconds = wait_until(lambda: ready_elsewhere(standing, lost, moved) == wanted)
    assert overbooked(standing.pods(), standing.nodes()) == {}
    for pods in (found for name, found in by_model(standing.pods()).items() if name in moved):
        assert len(set(hosts(pods))) == len(pods)
    report({"nodes_lost": len(lost), "seconds_from_silence_to_all_ready_elsewhere": round(seconds, 1)})


def ready_elsewhere(standing: Fleet, lost: set[str], models: set[str]) -> Counter[str]:
    """Return how many ready pods each of the models has on nodes that are not lost."""
    return Counter(
        model(pod)
        for pod in standing.pods()
        if model(pod) in models and is_live(pod) and is_ready(pod) and pod["spec"]["nodeName"] not in lost
    )
