"""The table of gates is whole, and every figure in it can be measured."""

import pytest

from bench import cases, trials


def test_every_trial_of_a_case_exists() -> None:
    known = {trial.name for trial in trials.ALL}
    assert [case.name for case in cases.SERVING if not set(case.trials) <= known] == []


def test_every_trial_serves_a_case() -> None:
    needed = {name for case in cases.SERVING for name in case.trials}
    assert [trial.name for trial in trials.ALL if trial.name not in needed] == []


def test_a_goal_is_never_easier_than_its_gate() -> None:
    assert [case.name for case in cases.SERVING if not case.gate.holds(case.gate.goal)] == []


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        ([], [case.name for case in cases.SERVING]),
        (["start"], ["start"]),
        (["grpc_*", "start"], ["grpc_aio", "grpc_sync", "start"]),
        (["START"], []),
    ],
    ids=str,
)
def test_cases_are_chosen_by_pattern(patterns: list[str], names: list[str]) -> None:
    assert [case.name for case in cases.select(cases.SERVING, patterns)] == names
