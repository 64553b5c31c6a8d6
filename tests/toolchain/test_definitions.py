from pathlib import Path

import pytest

from tests.toolchain.places import imagined
from toolchain import binaries, definitions
from toolchain.progress import Progress


@pytest.mark.parametrize("source", definitions.SOURCES, ids=lambda source: source.project)
def test_what_is_taken_from_a_go_module_is_pinned_with_its_sum(source: definitions.Source) -> None:
    folder = binaries.MODULES / definitions.MODULE
    version = dict(
        line.split()[:2] for line in (folder / "go.mod").read_text().splitlines() if line.startswith("\t")
    )
    assert f"{source.go_module} {version[source.go_module]} h1:" in (folder / "go.sum").read_text()


def test_what_is_there_already_asks_for_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no Go here
    folders = imagined(tmp_path)
    definitions.location(folders).mkdir(parents=True)
    definitions.fetch_missing(folders, Progress())
