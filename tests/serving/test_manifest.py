import json
from pathlib import Path
from typing import Any

import pytest

from serving.errors import ModelError
from serving.manifest import Manifest, read_manifest


def write(folder: Path, document: Any) -> Path:
    (folder / "manifest.json").write_text(json.dumps(document))
    return folder


def test_a_folder_without_a_manifest_has_an_empty_one(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) == Manifest(identity="", accuracy=None)


def test_identity_and_accuracy_are_read(tmp_path: Path) -> None:
    document = {"format_version": 1, "identity": "sha256:1", "accuracy": {"value": 0.9, "examples": 10}}
    assert read_manifest(write(tmp_path, document)) == Manifest(identity="sha256:1", accuracy=0.9)


def test_an_accuracy_that_nobody_measured_is_none(tmp_path: Path) -> None:
    assert read_manifest(write(tmp_path, {"accuracy": None})).accuracy is None


@pytest.mark.parametrize(
    "document", [[], {"accuracy": 0.9}, {"accuracy": {"value": "high"}}, {"accuracy": {}}], ids=str
)
def test_a_manifest_that_cannot_be_read_is_a_clear_error(tmp_path: Path, document: Any) -> None:
    with pytest.raises(ModelError, match="expected a manifest with accuracy null or"):
        read_manifest(write(tmp_path, document))


def test_a_manifest_that_is_no_json_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(ModelError, match="expected a manifest"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("tuning", "read"),
    [
        ({"backend_profile": "thread_pool", "onednn": "off"}, ("thread_pool", "off")),
        ({"backend_profile": "of a newer release", "onednn": 1}, ("", "")),
        ({}, ("", "")),
    ],
    ids=str,
)
def test_what_was_fastest_is_read_where_it_is_known(
    tmp_path: Path, tuning: Any, read: tuple[str, str]
) -> None:
    manifest = read_manifest(write(tmp_path, {"accuracy": None, "extra": {"tuning": tuning}}))
    assert (manifest.backend_profile, manifest.onednn) == read
