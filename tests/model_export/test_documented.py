"""What docs/contract.md and docs/repository.md tell people to type works as it stands there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from model_export import commands
from model_export.__main__ import main
from tests.model_export.contract import protos
from tests.model_export.repository.version_folders import make_version

DOCS = Path(__file__).parents[2] / "docs"


def _blocks(page: str, language: str) -> Iterator[str]:
    yield from re.findall(rf"^```{language}\n(.*?)^```", (DOCS / page).read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for place, version in (("models/mnist", 7), ("models/mnist", 8), ("export/mnist", 7)):
        made = make_version(
            tmp_path, version, files={"saved_model.pb": protos.doubling(weight=bytes([0, 0, version, 64]))}
        )
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        made.rename(tmp_path / place / str(version))
    return tmp_path


def test_the_program_of_the_contract_page_runs_and_says_what_changed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (program,) = _blocks("contract.md", "python")
    exec(compile(program, "docs/contract.md", "exec"), {})
    assert capsys.readouterr().out.startswith("numerics_only: digest: was sha256:")


@pytest.mark.parametrize("page", ["contract.md", "repository.md"])
def test_every_verb_and_flag_that_a_page_names_exists(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = (DOCS / page).read_text()
    verbs = set(re.findall(r"python -m model_export (\w+)", text))
    assert verbs
    assert verbs <= commands.VERBS.keys()
    told = ""
    for verb in verbs | {"publish", "gc"}:
        with pytest.raises(SystemExit):
            main([verb, "--help"])
        told += capsys.readouterr().out
    assert set(re.findall(r"--[a-z][a-z-]+", text)) - {"--help"} <= set(re.findall(r"--[a-z][a-z-]+", told))
