"""What docs/contract.md and docs/repository.md tell people to type works as it stands there."""

from __future__ import annotations

import re
import shlex
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


def test_the_commands_of_the_repository_page_run_in_their_order(here: Path) -> None:
    (script,) = _blocks("repository.md", "sh")
    lines = [shlex.split(line) for line in script.splitlines()]
    assert len(lines) == 5
    for words in lines:
        assert words[:3] == ["python", "-m", "model_export"]
        local = [{"s3://models/mnist": "shelf", "/models/mnist": "pod"}.get(word, word) for word in words[3:]]
        assert main(local) == 0, words
    assert (here / "pod" / "7" / "saved_model.pb").is_file()


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
