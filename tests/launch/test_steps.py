"""Steps say what they do and how long it took, and a failure names its step."""

import pytest

from launch.steps import StepError, Steps


def test_a_step_keeps_its_seconds_under_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    steps = Steps(total=2)
    with steps.step("train", "Train the model"):
        pass
    assert list(steps.seconds) == ["train"]
    assert "==> [1/2] Train the model" in capsys.readouterr().err


def test_each_title_says_how_many_steps_are_left(capsys: pytest.CaptureFixture[str]) -> None:
    steps = Steps(total=2)
    for name in ("train", "deploy"):
        with steps.step(name, name):
            pass
    titles = [line for line in capsys.readouterr().err.splitlines() if line.startswith("==>")]
    assert titles == ["==> [1/2] train", "==> [2/2] deploy"]


def test_a_failure_names_its_step_and_keeps_no_seconds() -> None:
    steps = Steps(total=2)
    with pytest.raises(StepError, match=r"^deploy: the registry is gone$"), steps.step("deploy", "Deploy"):
        raise StepError("the registry is gone")
    assert steps.seconds == {}
