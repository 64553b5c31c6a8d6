"""Two hundred models on a thousand nodes: each pod where its model asked to be, spread, and nobody else disturbed."""

import pytest

from tests.e2e.scale import stack
from tests.e2e.scale.conftest import Fleet
from tests.e2e.scale.fleet import POOLS, ZONES
from tests.e2e.scale.reading import by_model, devices, hosts, is_ready, overbooked, zone_skew

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

PRODUCTS = {pool.name: (pool.product, pool.resource) for pool in POOLS}


def test_every_model_has_all_its_pods(standing: Fleet) -> None:
    found = by_model([pod for pod in standing.placed_pods if is_ready(pod)])
    assert {name: len(pods) for name, pods in found.items()} == {
        stack.name(number): stack.replicas(number) for number in range(stack.MODELS)
    }


def test_each_pod_has_the_kind_of_gpu_that_its_model_asked_for(standing: Fleet) -> None:
    found, nodes = by_model(standing.placed_pods), standing.placed_on
    for number in range(stack.MODELS):
        wish = stack.wish(number)
        product, resource = PRODUCTS[wish.pool]
        for pod in found[stack.name(number)]:
            labels = nodes[pod["spec"]["nodeName"]]["metadata"]["labels"]
            assert labels["nvidia.com/gpu.product"] == product
            assert devices(pod) == {resource: wish.gpus}


def test_no_node_holds_more_devices_than_it_has(standing: Fleet) -> None:
    assert overbooked(standing.placed_pods, standing.placed_on) == {}


def test_the_pods_of_a_model_are_on_different_hosts_and_evenly_in_the_zones(standing: Fleet) -> None:
    nodes = standing.placed_on
    for name, pods in by_model(standing.placed_pods).items():
        assert len(set(hosts(pods))) == len(pods), name
        assert zone_skew(pods, nodes, ZONES) <= 1, name


def test_the_real_node_takes_none_of_them(standing: Fleet) -> None:
    assert set(hosts(standing.placed_pods)) <= set(standing.placed_on)
