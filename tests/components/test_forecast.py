"""Fit and cost: arithmetic that a reader can do again, and a refusal before anything is built."""

import pulumi
import pytest

from components.config import PricesConfig
from components.forecast import check_memory, forecast, start_sentence
from tests.components import examples

SIZES = {
    "resources": {"cpuMillicores": 1_500, "memoryMib": 4_096},
    "gpu": {"count": 2},
    "autoscaling": {"minReplicas": 2, "maxReplicas": 5},
}


def served(**sections):
    (only,) = examples.config(**sections).served
    return only


def test_a_forecast_covers_the_fewest_and_the_most_pods():
    prices = PricesConfig(
        cpu_core_hour_micros=40_000, memory_gib_hour_micros=5_000, gpu_hour_micros=1_000_000
    )
    made = forecast(served(**SIZES), prices)
    assert (
        made.sentence()
        == "2 to 5 pods: 3 to 7.5 cores, 8 to 20 GiB, 4 to 10 GPUs; 3036.8 to 7592 a month, 6073.6 at 4 pods"
    )
    # 1.5 cores x 0.04 + 4 GiB x 0.005 + 2 GPUs x 1 = 2.08 an hour and pod; a month has 730 hours
    assert made.cost_per_month == pytest.approx((2.08 * 730 * 2, 2.08 * 730 * 4, 2.08 * 730 * 5))


@pytest.mark.parametrize(
    ("asked", "typical"), [(0, 6), (3, 3), (1, 2), (99, 9)], ids=["middle", "asked", "below", "above"]
)
def test_an_ordinary_day_is_within_the_bounds(asked, typical):
    bounds = {"minReplicas": 2, "maxReplicas": 9, "typicalReplicas": asked}
    assert forecast(served(autoscaling=bounds), PricesConfig()).pods == (2, typical, 9)


@pytest.mark.parametrize(
    ("cluster", "model_mib", "words"),
    [
        ({}, 4_000, "a new pod answers within 80 s (rollout.pullSeconds and model.loadSeconds)"),
        (
            {"pullMibPerSecond": 100},
            4_000,
            "where a node has the runtime, 40 s of pulling the model and its load",
        ),
        (
            {"pullMibPerSecond": 50},
            4_000,
            "4000 MiB of model alone take 80 s to pull at cluster.pullMibPerSecond; raise rollout.pullSeconds",
        ),
    ],
    ids=["unknown", "known", "too slow"],
)
def test_the_time_to_the_first_answer_is_said(cluster, model_mib, words):
    configuration = examples.config(cluster=cluster)
    said = start_sentence(configuration.served[0], configuration.cluster, model_bytes=model_mib << 20)
    assert words in said


def test_without_prices_nothing_is_said_of_cost():
    made = forecast(served(), PricesConfig())
    assert made.sentence() == "1 to 3 pods: 0.5 to 1.5 cores, 1 to 3 GiB"
    assert "cost_per_month" not in made.facts()


def test_a_fixed_number_of_pods_is_one_figure():
    assert (
        forecast(served(autoscaling={"enabled": False}, server={"replicas": 4}), PricesConfig())
        .sentence()
        .startswith("4 pods: 2 cores")
    )


@pytest.mark.parametrize(("memory_mib", "model_mib"), [(276, 100), (300, 124)], ids=["small", "larger"])
def test_memory_at_the_floor_is_enough_and_one_mebibyte_less_is_not(memory_mib, model_mib):
    at_the_floor = served(resources={"memoryMib": memory_mib})
    check_memory(at_the_floor, model_bytes=model_mib << 20)
    with pytest.raises(
        pulumi.RunError, match=f"must be at least {memory_mib}, got {memory_mib - 1}: 112 for TensorFlow"
    ):
        check_memory(served(resources={"memoryMib": memory_mib - 1}), model_bytes=model_mib << 20)


def test_larger_caches_need_more_memory():
    settings = {"output_cache_bytes": 1 << 30}
    with pytest.raises(pulumi.RunError, match="1024 for caches"):
        check_memory(served(resources={"memoryMib": 1_024}, server={"settings": settings}), model_bytes=0)
