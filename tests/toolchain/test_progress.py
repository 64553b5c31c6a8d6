import io
import re

import pytest

from toolchain.progress import Progress


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
