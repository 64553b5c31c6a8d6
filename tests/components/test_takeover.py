"""The rollout planner: its choice is tested on the Deployment; here, that it says why."""

import pytest

from components.takeover import takeover
from tests.components import examples


def reason(**sections) -> str:
    (served,) = examples.config(**sections).served
    return takeover(served).reason


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({}, "starts beside the old one: CPU nodes"),
        ({"gpu": {"count": 1, "available": 5}}, "gpu.available leaves 2 free at 3 pods"),
        ({"gpu": {"count": 1}}, "gpu.available is not known, so an old pod goes before a new one starts"),
        ({"gpu": {"count": 1, "available": 3}}, "gpu.available leaves none free at 3 pods"),
    ],
    ids=["cpu", "spare", "unknown", "full"],
)
def test_the_choice_comes_with_its_reason(sections, words):
    assert words in reason(**sections)


def test_an_outage_is_announced_with_its_length_and_its_cure():
    announced = reason(gpu={"count": 1}, autoscaling={"minReplicas": 1})
    assert "with one pod nothing answers for up to 128 s" in announced
    assert "set autoscaling.minReplicas to 2" in announced


def test_two_pods_never_announce_an_outage():
    assert "one of the pods is missing at a time" in reason(gpu={"count": 1}, autoscaling={"minReplicas": 2})
