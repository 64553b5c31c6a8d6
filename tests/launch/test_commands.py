"""Commands that `bin/up` runs are seen while they run, and what they print for programs is kept apart."""

import sys

import pytest

from launch.commands import follow
from launch.steps import StepError


def test_all_but_the_last_line_is_shown_and_the_last_returned(capsys: pytest.CaptureFixture[str]) -> None:
    script = "print('  250 of 1000 images asked'); print('{\"error_rate\": 9.0}')"
    assert follow([sys.executable, "-c", script], otherwise="") == '{"error_rate": 9.0}\n'
    assert capsys.readouterr().err == "  250 of 1000 images asked\n"


def test_a_failure_shows_every_line_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StepError, match="ended with 3; see the pod's log"):
        follow(
            [sys.executable, "-c", "print('no answer'); raise SystemExit(3)"], otherwise="see the pod's log"
        )
    assert capsys.readouterr().err == "no answer\n"
