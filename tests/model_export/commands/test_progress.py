"""What a long verb tells while it works: steps, how far, what is left."""

import pytest

from model_export import steps
from model_export.artifact import ExportRequest
from model_export.commands.progress import StepLines, working
from model_export.commands.screen import MovingLines, moving

STEPS = ("reading", "freezing", "publishing")


@pytest.mark.parametrize(
    ("more", "extra"),
    [
        ({}, ()),
        ({"optimize": True}, (steps.OPTIMIZE,)),
        ({"quantize": "int8", "tune": True}, (steps.QUANTIZE, steps.TUNE)),
    ],
    ids=["plain", "optimised", "quantised and tuned"],
)
def test_the_plan_names_what_was_asked_for(
    more: dict[str, object], extra: tuple[str, ...], tmp_path: object
) -> None:
    plan = steps.export_steps(ExportRequest(name="m", source=tmp_path, base_path=tmp_path, **more))  # type: ignore[arg-type]

    assert plan[0] == steps.READ
    assert plan[-len(extra) - 1 :] == (*extra, steps.PUBLISH)


def test_a_pipe_gets_one_line_for_each_step_and_results_apart(capsys: pytest.CaptureFixture[str]) -> None:
    with working(quiet=False) as (report, watcher):
        watcher.plan(STEPS)
        watcher.enter("reading")
        watcher.advance(1, 2)
        report("Successfully loaded model.")
        watcher.enter("freezing")

    captured = capsys.readouterr()
    # Of a machine that stands still for seconds there may be signs of life in between: they are tested below.
    assert [line for line in captured.err.splitlines() if ":" not in line] == [
        "[1/3] reading",
        "[2/3] freezing",
    ]
    assert captured.out == "Successfully loaded model.\n"


def test_output_for_programs_is_not_mixed_with_steps(capsys: pytest.CaptureFixture[str]) -> None:
    with working(quiet=True) as (_, watcher):
        watcher.plan(STEPS)
        watcher.enter("reading")

    assert capsys.readouterr().err == ""


def test_a_terminal_gets_one_bar_with_how_far_and_what_is_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "140")
    with working(quiet=False) as (report, watcher):
        watcher.plan(STEPS)
        watcher.enter("reading")
        report("kept apart")
        watcher.enter("publishing")

    captured = capsys.readouterr()
    assert "[1/3] reading" in captured.err
    assert "then freezing and 1 more" in captured.err
    assert "the last step" in captured.err
    assert "━" in captured.err
    assert captured.out == "kept apart\n"


@pytest.mark.parametrize("columns", [80, 120])
def test_the_bar_the_step_and_what_is_left_fit_on_a_terminal(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(columns))
    plan = (steps.READ, steps.VERIFY, steps.VERIFY_AS_SERVED, steps.EVALUATE, steps.PUBLISH)
    with working(quiet=False) as (_, watcher):
        watcher.plan(plan)
        watcher.enter(steps.VERIFY)

    shown = capsys.readouterr().err
    assert f"[2/5] {steps.VERIFY}" in shown
    assert f"then {steps.VERIFY_AS_SERVED} and 2 more" in shown


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += seconds


def test_a_long_step_says_in_a_log_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    lines = StepLines(clock)
    lines.plan(STEPS)
    clock.passes(9)
    lines.silence.break_if_long()
    lines.enter("freezing")
    lines.advance(2, 8)
    clock.passes(4)
    lines.silence.break_if_long()
    clock.passes(2)
    lines.silence.break_if_long()
    lines.silence.break_if_long()

    assert capsys.readouterr().err.splitlines() == ["[2/3] freezing", "[2/3] freezing: 2 of 8, 6 s"]


def test_a_large_file_says_in_a_log_how_far_it_is_and_what_is_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Clock()
    lines = MovingLines("fetched", clock)
    clock.passes(6)
    lines.silence.break_if_long()
    lines("weights", 0, 1000)
    clock.passes(5)
    lines("weights", 250, 1000)
    lines.silence.break_if_long()
    lines("weights", 1000, 1000)
    clock.passes(7)
    lines.silence.break_if_long()

    assert capsys.readouterr().err.splitlines() == [
        "checking every digest (6 s)",
        "fetched 250 B of 1.0 kB of weights, 15 s left",
        "fetched weights (1.0 kB)",
        "checking every digest (7 s)",
    ]


def test_a_terminal_shows_the_checks_around_the_files(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with moving("fetched", quiet=False) as progress:
        progress("weights", 1000, 1000)

    shown = capsys.readouterr().err
    assert "fetched weights" in shown
    assert "checking every digest" in shown
