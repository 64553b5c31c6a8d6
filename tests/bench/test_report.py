"""What machines read, and what becomes of cases that could not be measured."""

import io
import json

import pytest

from bench.cases import Case
from bench.figures import Gate, Reading
from bench.report import Report, print_json, print_table
from bench.rounds import Log
from bench.verdicts import judge

QUICK = Case(
    name="quick",
    title="quicker than a peer",
    above=Reading(trial="peer", figure="cpu_us"),
    below=Reading(trial="ours", figure="cpu_us"),
    gate=Gate(gate=8, goal=12, better="higher"),
)
START = Case(
    name="start",
    title="start to first answer",
    above=Reading(trial="start", figure="seconds"),
    gate=Gate(gate=3, goal=1.5, better="lower"),
)


def report_of(log: Log) -> Report:
    return Report(
        verdicts=judge([QUICK, START], log),
        log=log,
        machine={"cores": 2},
        versions={"wrk": "4.1"},
        commit="abc",
        seconds=3,
    )


MEASURED = Log(
    rounds=[
        {"peer": {"cpu_us": 500.0}, "ours": {"cpu_us": 50.0}},
        {"peer": {"cpu_us": 900.0}, "ours": {"cpu_us": 50.0}},
        {"peer": {"cpu_us": 480.0}, "ours": {"cpu_us": 60.0}},
    ],
    failures={"start": "the server did not come up"},
)


def test_the_document_has_one_gate_for_each_case_with_the_median_of_its_rounds() -> None:
    document = report_of(MEASURED).document()
    assert document["gates"] == [
        {
            "case": "quick", "title": "quicker than a peer", "ratio": 10.0, "gate": 8, "goal": 12, "better": "higher",
            "held": True, "reason": "", "per_round": [10.0, 18.0, 8.0],
        },
        {
            "case": "start", "title": "start to first answer", "ratio": None, "gate": 3, "goal": 1.5, "better": "lower",
            "held": False, "reason": "start: the server did not come up", "per_round": [],
        },
    ]  # fmt: skip
    assert {key: document[key] for key in ("rounds", "machine", "versions", "commit")} == {
        "rounds": 3,
        "machine": {"cores": 2},
        "versions": {"wrk": "4.1"},
        "commit": "abc",
    }


def test_the_json_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(report_of(MEASURED))
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["measurements"]["peer"] == {"cpu_us": 500.0}


def test_a_case_that_could_not_be_measured_is_in_the_table_as_not_held_with_its_reason() -> None:
    stream = io.StringIO()
    print_table(report_of(MEASURED), stream)
    (line,) = [line for line in stream.getvalue().splitlines() if line.startswith("start")]
    assert "NO" in line
    assert "the server did not come up" in line


def test_a_run_is_held_only_when_every_gate_is() -> None:
    whole = Log(rounds=[{**MEASURED.rounds[0], "start": {"seconds": 3.0}}])
    assert report_of(whole).is_held
    assert not report_of(MEASURED).is_held


def test_a_failure_in_one_round_leaves_the_other_rounds_their_verdict() -> None:
    log = Log(rounds=MEASURED.rounds[:1], failures={"peer": "it ended in the second round"})
    (verdict, _start) = judge([QUICK], log) + judge([START], log)
    assert (verdict.ratio, verdict.reason) == (10, "")
