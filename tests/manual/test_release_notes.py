"""Release notes are the fragments: every sentence, under its kind, and nothing of how the files are called."""

from pathlib import Path

import pytest

from manual.release_notes import ROOT, main, to_markdown, waiting

FRAGMENTS = sorted((ROOT / "changelog.d").glob("*.md"))


def test_every_fragment_is_a_sentence_of_the_notes_under_its_kind() -> None:
    notes = waiting()
    kinds = {part.partition("\n")[0].lower(): part for part in notes.split("### ")[1:]}
    assert set(kinds) <= {"added", "changed", "fixed"}
    missing = [
        path.name
        for path in FRAGMENTS
        if path.read_text().strip() not in " ".join(kinds[path.suffixes[0].removeprefix(".")].split())
    ]
    assert missing == []


def test_the_names_of_fragments_are_not_shown() -> None:
    notes = waiting()
    assert [path.name for path in FRAGMENTS if f"({path.name.partition('.')[0]})" in notes] == []


@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: path.name)
def test_a_fragment_is_one_line_that_ends_as_a_sentence_does(path: Path) -> None:
    (line,) = path.read_text().strip().splitlines()
    assert line[-1] in ".!`)"
    assert path.suffixes[0] in {".added", ".changed", ".fixed"}


def test_the_command_prints_and_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    before = (ROOT / "CHANGELOG.md").read_text()
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("## Unreleased\n")
    assert (ROOT / "CHANGELOG.md").read_text() == before
    assert all(path.exists() for path in FRAGMENTS)


def test_the_page_of_the_site_has_what_waits_and_what_was_released() -> None:
    page = to_markdown()
    assert page.startswith("# Release notes\n")
    assert page.index("## Unreleased") < len(page)
