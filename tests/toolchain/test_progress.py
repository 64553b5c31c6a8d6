import io
import re

import pytest

from toolchain.progress import CLEAR_LINE, FIRST_SIGN_SECONDS, Progress


def test_a_step_ends_with_its_note_and_its_seconds() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    with progress.step("build kube") as step:
        step.note = "135 MB"
    assert re.fullmatch(r"  build kube: 135 MB \(\d+\.\d s\)\n", stream.getvalue())
    assert list(progress.seconds) == ["build kube"]


def test_a_step_that_fails_leaves_the_word_to_the_error() -> None:
    stream = io.StringIO()
    with pytest.raises(ValueError, match="why"), Progress(stream).step("build kube"):
        raise ValueError("why")
    assert stream.getvalue() == ""


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_is_left_with_one_whole_line_per_step() -> None:
    stream = Terminal()
    with Progress(stream).step("build kube"):
        pass
    *_, last = stream.getvalue().split(CLEAR_LINE)
    assert re.fullmatch(r"  build kube \(\d+\.\d s\)\n", last)


def test_a_step_that_fails_leaves_no_half_line_on_a_terminal() -> None:
    stream = Terminal()
    with pytest.raises(ValueError, match="why"), Progress(stream).step("build kube"):
        raise ValueError("why")
    assert stream.getvalue().endswith(CLEAR_LINE)


@pytest.mark.parametrize(
    ("seconds", "lines"),
    [(FIRST_SIGN_SECONDS - 0.1, []), (FIRST_SIGN_SECONDS, ["  build kube: 135 MB (3.0 s)"])],
    ids=["a moment", "long"],
)
def test_a_quiet_command_tells_only_of_what_lasted(seconds: float, lines: list[str]) -> None:
    stream, times = io.StringIO(), [0.0]
    with Progress(stream, is_quiet=True, clock=lambda: times[-1]).step("build kube") as step:
        step.note = "135 MB"
        times.append(seconds)
    assert stream.getvalue().splitlines() == lines
