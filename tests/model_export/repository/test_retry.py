"""How often and how long something is tried again."""

import pytest

from model_export.errors import RepositoryError
from model_export.repository.retry import Retry, TransientError


def _failing(times: int) -> "tuple[list[int], object]":
    calls: list[int] = []

    def action() -> str:
        calls.append(len(calls))
        if len(calls) <= times:
            raise TransientError("the server was busy")
        return "done"

    return calls, action


@pytest.mark.parametrize("failures", [0, 1, 3])
def test_what_fails_less_often_than_the_limit_succeeds(failures: int) -> None:
    calls, action = _failing(failures)
    assert Retry(attempts=4, sleep=lambda _: None).call(action, doing="try") == "done"
    assert len(calls) == failures + 1


def test_what_fails_as_often_as_the_limit_is_an_error_that_says_so() -> None:
    calls, action = _failing(4)
    with pytest.raises(
        RepositoryError, match=r"expected to upload x, received the server was busy \(4 attempts\)"
    ):
        Retry(attempts=4, sleep=lambda _: None).call(action, doing="upload x")
    assert len(calls) == 4


def test_waits_double_up_to_a_limit_and_are_scattered_below_it() -> None:
    waits: list[float] = []
    draws = iter([1.0, 0.5, 1.0, 0.0, 1.0])
    _, action = _failing(5)
    Retry(
        attempts=6,
        first_delay_seconds=1,
        longest_delay_seconds=4,
        sleep=waits.append,
        draw=lambda: next(draws),
    ).call(action, doing="try")
    assert waits == [1, 1, 4, 0, 4]


def test_other_errors_are_not_tried_again() -> None:
    with pytest.raises(ZeroDivisionError):
        Retry(sleep=lambda _: None).call(lambda: 1 // 0, doing="divide")
