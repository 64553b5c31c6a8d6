"""`fetch --identity`: a pod gets the model that was previewed, or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from model_export.__main__ import main
from model_export.artifact import Manifest
from tests.model_export.contract import protos
from tests.model_export.repository.version_folders import make_version


@pytest.fixture
def published(tmp_path: Path) -> tuple[str, str]:
    """Address of a repository that holds version 7, and that version's identity."""
    version = make_version(tmp_path / "export", 7, files={"saved_model.pb": protos.doubling()})
    base = str(tmp_path / "repository" / "mnist")
    assert main(["publish", str(version), base]) == 0
    return base, Manifest.read(version).identity


def test_the_model_that_was_asked_for_is_fetched(published: tuple[str, str], tmp_path: Path) -> None:
    base, identity = published
    assert main(["fetch", base, "7", str(tmp_path / "pod"), "--identity", identity]) == 0
    assert (tmp_path / "pod" / "7" / "saved_model.pb").exists()


def test_another_model_under_its_number_is_refused(
    published: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base, identity = published
    other = "sha256:" + "0" * 64
    assert main(["fetch", base, "7", str(tmp_path / "pod"), "--identity", other]) == 1
    (said,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert f"expected the identity {other}, received {identity}" in said
    assert "publish the one that was meant as a new version" in said
