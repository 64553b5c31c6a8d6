"""The exporter's bench: every gate of the table, turns told apart, and the cost of a command with its children."""

import sys

import pytest

from bench.cases import Case
from bench.errors import BenchError
from bench.export import cases
from bench.export_commands import run_measured
from bench.export_document import BEGIN, END, numbers
from bench.export_loads import Turn, example, figures
from bench.export_models import NAMES, export_words
from bench.report import Report
from bench.rounds import Log
from bench.verdicts import judge
from toolchain.folders import CHECKOUT

FIGURES = {
    "load_unfrozen_seconds": 0.3,
    "load_frozen_seconds": 0.05,
    "cold_load_frozen_seconds": 0.2,
    "first_unfrozen_seconds": 0.6,
    "first_optimized_seconds": 0.1,
    "tensorflow_load_seconds": 2.0,
    "freeze_seconds": 0.2,
    "bytes": 100.0,
    "keras_bytes": 200.0,
    "extra_bytes": 500.0,
    "command_seconds": 4.5,
    "import_seconds": 3.0,
    "contract_seconds": 0.1,
}


def test_every_model_has_a_line_for_each_promise() -> None:
    names = {case.name for case in cases()}

    for promise in ("load", "first", "freeze"):
        assert {f"{promise}_{model}" for model in NAMES} <= names
    assert {
        "bytes_cnn",
        "bytes_inception",
        "memory_efficientnet",
        "memory_inception",
        "command",
        "contract",
    } <= names


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_every_gate_is_computed_from_figures_that_a_round_takes(case: Case) -> None:
    (verdict,) = judge([case], Log(rounds=[dict.fromkeys(NAMES, FIGURES)]))

    assert verdict.is_held, verdict


def test_the_first_turn_is_told_apart_and_the_others_give_their_median() -> None:
    turns = [Turn(load=seconds, first=2 * seconds) for seconds in (9.0, 3.0, 1.0, 2.0)]

    assert dict(figures("frozen", turns)) == {
        "load_frozen": 2.0,
        "first_frozen": 4.0,
        "cold_load_frozen": 9.0,
        "cold_first_frozen": 18.0,
    }


def test_a_made_up_row_has_one_of_every_open_axis() -> None:
    assert example((None, 28, None), is_text=False).shape == (1, 28, 1)
    assert example((None,), is_text=True)[0].startswith(b"\xff\xd8")


def test_the_memory_of_a_child_counts_while_its_parent_lives() -> None:
    holds = "x = bytearray(60 << 20); import time; time.sleep(0.5)"
    parent = (
        f"import subprocess, sys; y = bytearray(60 << 20); subprocess.run([sys.executable, '-c', {holds!r}])"
    )

    assert run_measured([sys.executable, "-c", parent]).peak_bytes > 120 << 20


def test_the_time_of_a_child_counts() -> None:
    spends = "import time\nwhile time.process_time() < 0.3: pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {spends!r}])"

    assert run_measured([sys.executable, "-c", parent]).cpu_seconds >= 0.3


def test_a_command_that_fails_is_named_with_its_last_line() -> None:
    with pytest.raises(BenchError, match=r"ended with 1: SystemExit|ended with 1: no such model"):
        run_measured([sys.executable, "-c", "import sys; sys.exit('no such model')"])


def test_the_measured_command_is_one_that_a_user_types() -> None:
    words = export_words(CHECKOUT, "mnist", CHECKOUT / "models")

    assert words[1:4] == ["-m", "model_export", "export"]
    assert tuple(words[-2:]) == ("--outputs", "scores")


def test_the_page_has_the_marks_and_the_numbers_say_where_they_are_from() -> None:
    log = Log(rounds=[{"mnist": FIGURES}])
    facts = {"processor": "P", "cores": 2, "kernel": "6", "python": "3.11", "load_average": 1.0}
    result = Report(
        verdicts=judge(cases(), log), log=log, machine=facts, versions={}, commit="abc", seconds=0
    )
    page = (CHECKOUT / "docs" / "benchmarks.md").read_text()

    assert page.count(BEGIN) == page.count(END) == 1
    text = numbers(result, "bin/bench export --rounds 1")
    assert "`bin/bench export --rounds 1`, 1 rounds, commit abc, on P" in text
    assert "| load_mnist | 6 | ≥ 3 | ≥ 5 | goal |" in text
