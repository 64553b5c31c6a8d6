"""The arithmetic behind every number of `bin/bench`."""

import pytest

from bench.errors import LoadFailed
from bench.figures import Gate, Reading, cpu_us_per_answer, median, percentile, ratio_of_rounds, readable

PEER, OURS = Reading(trial="peer", figure="cpu_us"), Reading(trial="ours", figure="cpu_us")


def test_cpu_time_is_shared_among_good_answers_only() -> None:
    assert cpu_us_per_answer(1.5, 30_000) == 50


def test_no_answer_is_an_error_and_not_an_infinite_cost() -> None:
    with pytest.raises(LoadFailed, match="got none"):
        cpu_us_per_answer(1.5, 0)


def test_a_ratio_is_taken_within_each_round() -> None:
    rounds = [
        {"peer": {"cpu_us": 500.0}, "ours": {"cpu_us": 50.0}},
        {"peer": {"cpu_us": 1200.0}, "ours": {"cpu_us": 100.0}},
    ]
    assert ratio_of_rounds(rounds, PEER, OURS) == [10, 12]


@pytest.mark.parametrize(
    "figures",
    [
        pytest.param({}, id="neither"),
        pytest.param({"peer": {"cpu_us": 500.0}}, id="ours missing"),
        pytest.param({"ours": {"cpu_us": 50.0}}, id="peer missing"),
        pytest.param({"peer": {"cpu_us": 500.0}, "ours": {"cpu_us": 0.0}}, id="no time at all"),
    ],
)
def test_a_round_without_both_figures_has_no_ratio(figures: dict[str, dict[str, float]]) -> None:
    assert ratio_of_rounds([figures], PEER, OURS) == []


def test_a_figure_with_nothing_below_it_is_its_own_ratio() -> None:
    assert ratio_of_rounds([{"start": {"seconds": 1.2}}], Reading(trial="start", figure="seconds"), None) == [
        1.2
    ]


@pytest.mark.parametrize(
    ("values", "middle"), [([], None), ([3.0], 3), ([9.0, 1.0, 2.0], 2), ([1.0, 4.0], 2.5)]
)
def test_one_slow_round_does_not_move_the_median(values: list[float], middle: float | None) -> None:
    assert median(values) == middle


@pytest.mark.parametrize(
    ("percent", "value"), [(0, 1), (1, 1), (50, 50), (99, 99), (99.5, 100), (100, 100)], ids=str
)
def test_a_percentile_is_a_value_that_was_measured(percent: float, value: float) -> None:
    assert percentile([float(each) for each in range(100, 0, -1)], percent) == value


@pytest.mark.parametrize(
    ("gate", "ratio", "holds", "reaches_goal"),
    [
        pytest.param(Gate(gate=8, goal=12, better="higher"), 7.99, False, False, id="below an at-least"),
        pytest.param(Gate(gate=8, goal=12, better="higher"), 8, True, False, id="at an at-least"),
        pytest.param(Gate(gate=8, goal=12, better="higher"), 12, True, True, id="at the goal"),
        pytest.param(Gate(gate=2, goal=1.2, better="lower"), 2.01, False, False, id="above an at-most"),
        pytest.param(Gate(gate=2, goal=1.2, better="lower"), 2, True, False, id="at an at-most"),
        pytest.param(Gate(gate=2, goal=1.2, better="lower"), 1.2, True, True, id="at the lower goal"),
    ],
)
def test_a_gate_knows_which_side_is_good(gate: Gate, ratio: float, holds: bool, reaches_goal: bool) -> None:
    assert (gate.holds(ratio), gate.reaches_goal(ratio)) == (holds, reaches_goal)


@pytest.mark.parametrize(
    ("value", "text"), [(0.1234, "0.123"), (13.06, "13.1"), (99.94, "99.9"), (100.4, "100"), (5078.0, "5078")]
)
def test_a_figure_reads_without_exponents(value: float, text: str) -> None:
    assert readable(value) == text
