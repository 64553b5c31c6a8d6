"""The commands on pages about models, followed as they stand: exporting, keeping and vouching for one."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, follow
from tests.docs.test_blocks import SHELL

PUBLISHED = ROOT / "examples/mnist/published/1000"


@pytest.mark.tensorflow
@pytest.mark.timeout(900)
def test_a_checkpoint_is_exported_verified_and_evaluated(tmp_path: Path) -> None:
    printed = follow(
        "docs/export.md", replace={"build/models": f"{tmp_path}/models", "build/mnist": f"{tmp_path}/mnist"}
    )
    assert "top_5" in "".join(printed)


def test_a_version_is_published_labelled_and_fetched(tmp_path: Path) -> None:
    replace = {
        "export/mnist/7": str(PUBLISHED),
        "s3://models/mnist": f"{tmp_path}/repository",
        " /models/mnist": f" {tmp_path}/fetched",
        "stable=7": "stable=1000",
    }
    printed = follow("docs/repository.md", replace=replace)
    assert "stable" in "".join(printed)
    assert (tmp_path / "fetched/1000/saved_model.pb").read_bytes() == (
        PUBLISHED / "saved_model.pb"
    ).read_bytes()


def test_a_version_is_signed_and_its_materials_are_listed(tmp_path: Path) -> None:
    shutil.copytree(PUBLISHED, tmp_path / "7")
    files = ("model.key", "model.pub", "mnist.spdx.json", "image.spdx.json")
    replace = {"models/mnist/7": str(tmp_path / "7"), **{name: str(tmp_path / name) for name in files}}
    printed = follow("docs/trust.md", replace=replace)
    assert "signed by the key" in "".join(printed)
    assert (tmp_path / "image.spdx.json").stat().st_size > (tmp_path / "mnist.spdx.json").stat().st_size


ELSEWHERE = [
    line for block in SHELL if block.needs in {"registry", "database"} for line in block.text.splitlines()
]


@pytest.mark.parametrize("line", [line for line in ELSEWHERE if line.startswith("python -m ")])
def test_the_flags_of_a_command_that_needs_a_registry_or_a_database_exist(line: str) -> None:
    _, _, module, verb, *words = line.split()
    told = subprocess.run(
        [sys.executable, "-m", module, verb, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert {word for word in words if word.startswith("--")} <= set(re.findall(r"--[a-z-]+", told.stdout))
