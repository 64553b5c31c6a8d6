import pytest

from serving.scheduling import Costs


def test_an_unknown_cost_grows_with_the_rows() -> None:
    costs = Costs(seconds_per_row=0.01)
    assert [costs.estimate(rows) for rows in (1, 10)] == [0.01, 0.1]
    assert not costs.is_known(1)


def test_a_seen_size_is_remembered() -> None:
    costs = Costs()
    costs.learn(32, 0.5)
    assert costs.is_known(32)
    assert costs.estimate(32) == 0.5


@pytest.mark.parametrize(("rows", "seconds"), [(4, 0.25), (8, 0.5), (16, 1.0), (1, 0.0625)])
def test_an_unseen_size_is_scaled_from_one_that_was_seen(rows: int, seconds: float) -> None:
    costs = Costs()
    costs.learn(8, 0.5)
    assert costs.estimate(rows) == seconds


def test_scaling_down_comes_before_scaling_up() -> None:
    costs = Costs()
    costs.learn(1, 0.001)  # nearly all of it the fixed part
    costs.learn(64, 0.008)
    assert costs.estimate(2) == 0.008 * 2 / 64


@pytest.mark.parametrize(("rows", "modest"), [(1, True), (8, True), (15, True), (16, False)])
def test_what_is_scaled_up_may_say_too_much(rows: int, modest: bool) -> None:
    costs = Costs()
    assert not costs.is_modest(rows)
    costs.learn(8, 0.5)
    assert costs.is_modest(rows) is modest


def test_one_slow_call_moves_the_average_little() -> None:
    costs = Costs()
    for _ in range(100):
        costs.learn(1, 0.001)
    costs.learn(1, 1.0)
    assert costs.estimate(1) < 0.11
