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
def test_an_unseen_size_is_scaled_from_the_nearest(rows: int, seconds: float) -> None:
    costs = Costs()
    costs.learn(8, 0.5)
    assert costs.estimate(rows) == seconds


def test_one_slow_call_moves_the_average_little() -> None:
    costs = Costs()
    for _ in range(100):
        costs.learn(1, 0.001)
    costs.learn(1, 1.0)
    assert costs.estimate(1) < 0.11
