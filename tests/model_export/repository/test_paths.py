"""Names that may become files, and names that never may."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_export.errors import RepositoryError
from model_export.repository.paths import checked_path, refuse_collisions

REFUSED = {
    "nothing": "",
    "absolute": "/etc/passwd",
    "a step out": "../x",
    "a step out in the middle": "a/../../x",
    "a step out and in": "a/../b",
    "here": ".",
    "an idle step": "a/./b",
    "an empty step": "a//b",
    "a folder": "a/",
    "a backslash": "a\\b",
    "a Windows drive": "C:/x",
    "a stream": "a:b",
    "an end of text": "a\0b",
    "a line break": "a\nb",
    "a right-to-left mark": "a\u202eb",
    "a lone surrogate": "a\udcffb",
    "a dot at the end": "a.",
    "a space at the end": "a ",
    "256 bytes": "a" * 256,
    "seventeen folders": "/".join("a" * 17),
    "901 bytes": "/".join(["a" * 180] * 5),
}


@pytest.mark.parametrize("name", REFUSED.values(), ids=REFUSED.keys())
def test_a_name_that_could_leave_its_folder_is_refused(name: str) -> None:
    with pytest.raises(RepositoryError, match="expected names of files below their folder"):
        checked_path(name, where="x")


@pytest.mark.parametrize(
    "name", ["a", "saved_model.pb", "a/b/c", ".hidden", "..a", "ü ß/日本", "a" * 255, "/".join("a" * 16)]
)
def test_an_ordinary_name_passes(name: str) -> None:
    assert checked_path(name, where="x") == PurePosixPath(name)


COLLISIONS = {
    "twice": ["a", "a"],
    "letter case": ["README", "readme"],
    "letter case of a folder": ["A/x", "a/y"],
    "Unicode form": ["caf\u00e9", "cafe\u0301"],
    "Unicode ligature": ["\ufb01le", "file"],
    "sharp s": ["stra\u00dfe", "STRASSE"],
    "a file and a folder": ["a", "a/b"],
    "a folder and a file": ["a/b", "a"],
    "a file and a folder but for case": ["A", "a/b"],
}


@pytest.mark.parametrize("names", COLLISIONS.values(), ids=COLLISIONS.keys())
def test_names_that_meet_on_some_file_system_are_refused(names: list[str]) -> None:
    with pytest.raises(RepositoryError, match="expected names that stay apart"):
        refuse_collisions(map(PurePosixPath, names), where="x")


def test_names_that_stay_apart_pass() -> None:
    refuse_collisions(map(PurePosixPath, ["a", "b/a", "b/c", "d/a"]), where="x")


@given(st.text(max_size=40))
def test_no_name_that_passes_leaves_its_folder(name: str) -> None:
    try:
        path = checked_path(name, where="x")
    except RepositoryError:
        return
    assert not path.is_absolute()
    assert ".." not in path.parts
    assert path.parts
