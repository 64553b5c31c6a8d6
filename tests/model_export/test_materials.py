"""The bill of materials is valid SPDX, names every file and package, and is the same for the same model."""

import json
import shutil
from pathlib import Path

import pytest
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from model_export.__main__ import main
from model_export.artifact import Manifest
from model_export.errors import ManifestError
from model_export.materials import read_lock

ROOT = Path(__file__).parents[2]
VERSION = ROOT / "examples/mnist/published/1000"
IMAGE = "registry.example.com/team/models/mnist@sha256:" + "a" * 64


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["sbom", str(VERSION), *words]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [(), ("--lock", str(ROOT / "requirements/runtime.txt"), "--image", IMAGE)],
    ids=["model", "image"],
)
def test_the_document_is_valid_spdx(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    path = tmp_path / "sbom.spdx.json"
    path.write_text(told(capsys, *words))
    assert validate_full_spdx_document(parse_file(str(path))) == []


def test_every_file_of_the_model_is_there_with_its_digest(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(told(capsys))
    found = {
        each["fileName"].removeprefix("./"): each["checksums"][1]["checksumValue"]
        for each in document["files"]
    }
    assert found == {path: digest.sha256 for path, digest in Manifest.read(VERSION).files.items()}


def test_every_package_of_the_lock_is_there_with_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    lock = ROOT / "requirements/runtime.txt"
    document = json.loads(told(capsys, "--lock", str(lock), "--image", IMAGE))
    names = {(each["name"], each.get("versionInfo")) for each in document["packages"]}
    assert {(each.name, each.version) for each in read_lock(lock)} <= names
    assert len(list(read_lock(lock))) == lock.read_text().count("==")


def test_the_same_model_has_the_same_bill(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys) == told(capsys)


def test_its_time_is_the_builds(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert json.loads(told(capsys))["creationInfo"]["created"] == "2023-11-14T22:13:20Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    assert main(["sbom", str(VERSION)]) == 1
    assert "seconds since 1970" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line", ["numpy", "numpy>=1", "numpy==1.0"], ids=["no version", "a range", "no hash"]
)
def test_a_lock_that_pins_nothing_is_refused(tmp_path: Path, line: str) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text(f"{line}\n")
    with pytest.raises(ManifestError, match="expected a package with a version and hashes"):
        list(read_lock(lock))


def test_a_file_that_is_not_what_the_manifest_says_has_no_bill(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "1000"
    shutil.copytree(VERSION, folder)
    (folder / "saved_model.pb").write_bytes(b"something else")
    assert main(["sbom", str(folder)]) == 1
    assert "saved_model.pb" in capsys.readouterr().err
