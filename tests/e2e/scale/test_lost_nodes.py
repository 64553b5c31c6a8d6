"""Nodes fall silent: their pods start on others, spread as before, and no device is given twice (F12)."""

from collections import Counter

import pytest

from tests.e2e.scale import fleet
from tests.e2e.scale.conftest import Fleet, report, wait_until
from tests.e2e.scale.reading import by_model, hosts, is_live, is_ready, model, overbooked, zone, zone_skew

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]


def test_the_pods_of_lost_nodes_start_on_others(standing: Fleet) -> None:
    lost = one_in_each_zone(standing)
    moved = {model(pod) for pod in standing.placed_pods if pod["spec"]["nodeName"] in lost}
    wanted = {name: len(pods) for name, pods in by_model(standing.placed_pods).items() if name in moved}
    fleet.silence(lost)
    seconds = wait_until(lambda: ready_elsewhere(standing, lost, moved) == wanted)
    pods, nodes = standing.pods(), standing.nodes()
    assert {host for host in lost if is_ready(nodes[host])} == set()
    assert overbooked(pods, nodes) == {}
    for name, found in by_model(pods).items():
        assert len(set(hosts(found))) == len(found), name
        assert zone_skew(found, nodes, fleet.ZONES) <= 1, name
    report({"nodes_lost": len(lost), "seconds_from_silence_to_all_ready_elsewhere": round(seconds, 1)})


def one_in_each_zone(standing: Fleet) -> set[str]:
    """Return three nodes that hold pods: a zone gives up one node in ten seconds, so of each the first is quickest."""
    found = {zone(standing.placed_on[host]): host for host in hosts(standing.placed_pods)}
    assert set(found) == set(fleet.ZONES)
    return set(found.values())


def ready_elsewhere(standing: Fleet, lost: set[str], models: set[str]) -> Counter[str]:
    """Return how many ready pods each of the models has on nodes that are not lost."""
    return Counter(
        model(pod)
        for pod in standing.pods()
        if model(pod) in models and is_live(pod) and is_ready(pod) and pod["spec"]["nodeName"] not in lost
    )
