"""What a long verb tells while it works: steps, how far, what is left."""

import pytest

from model_export import steps
from model_export.artifact import ExportRequest
from model_export.commands.progress import working

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
    assert captured.err.splitlines() == ["[1/3] reading", "[2/3] freezing"]
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
    assert "then freezing, publishing" in captured.err
    assert "the last step" in captured.err
    assert "━" in captured.err
    assert captured.out == "kept apart\n"
