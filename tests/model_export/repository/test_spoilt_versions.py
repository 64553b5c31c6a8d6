"""Version folders that are not what their manifest says, and manifests that say what no folder can be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from model_export.artifact import MANIFEST_NAME
from model_export.errors import DigestMismatchError, ManifestError, RepositoryError
from model_export.repository import ModelRepository
from tests.model_export.repository.version_folders import make_version


def _spoil_file(folder: Path) -> None:
    (folder / "saved_model.pb").write_bytes(b"a grapi")


def _shorten_file(folder: Path) -> None:
    (folder / "saved_model.pb").write_bytes(b"a grap")


def _lose_file(folder: Path) -> None:
    (folder / "assets" / "vocab.txt").unlink()


def _add_file(folder: Path) -> None:
    (folder / "notes.txt").write_text("secret")


def _link_file(folder: Path) -> None:
    (folder / "saved_model.pb").unlink()
    (folder / "saved_model.pb").symlink_to("/etc/hostname")


def _link_folder(folder: Path) -> None:
    (folder / "assets" / "more").symlink_to("/etc")


def _lose_manifest(folder: Path) -> None:
    (folder / MANIFEST_NAME).unlink()


def _nest_without_end(folder: Path) -> None:
    (folder / MANIFEST_NAME).write_text("[" * 100_000)


def _write_no_text(folder: Path) -> None:
    (folder / MANIFEST_NAME).write_bytes(b"\xff\xfe")


def _step_out(folder: Path) -> None:
    facts = json.loads((folder / MANIFEST_NAME).read_text())
    facts["files"]["../outside"] = facts["files"].pop("salt")
    (folder / MANIFEST_NAME).write_text(json.dumps(facts))


def _claim(**facts: object) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        manifest = json.loads((folder / MANIFEST_NAME).read_text())
        manifest["files"]["salt"] |= {key: value for key, value in facts.items() if key != "version"}
        manifest["version"] = facts.get("version", manifest["version"])
        (folder / MANIFEST_NAME).write_text(json.dumps(manifest))

    return spoil


SPOILS = {
    "a digest that is a number": (_claim(sha256=5), ManifestError),
    "a digest that is too short": (_claim(sha256="ab"), ManifestError),
    "a digest that steps out": (_claim(sha256="../" * 21 + "x"), ManifestError),
    "a size that is text": (_claim(size_bytes="7"), ManifestError),
    "a size below zero": (_claim(size_bytes=-1), ManifestError),
    "a version that is text": (_claim(version="7"), ManifestError),
    "a version that no server can read": (_claim(version=2**63), ManifestError),
    "a changed byte": (_spoil_file, DigestMismatchError),
    "a byte less": (_shorten_file, DigestMismatchError),
    "a file less": (_lose_file, DigestMismatchError),
    "a file more": (_add_file, RepositoryError),
    "a link for a file": (_link_file, RepositoryError),
    "a link to a folder": (_link_folder, RepositoryError),
    "no manifest": (_lose_manifest, ManifestError),
    "a manifest nested without end": (_nest_without_end, ManifestError),
    "a manifest that is no text": (_write_no_text, ManifestError),
    "a manifest that steps out": (_step_out, RepositoryError),
}


@pytest.mark.parametrize(("spoil", "error"), SPOILS.values(), ids=SPOILS.keys())
def test_only_a_whole_version_is_published(
    repository: ModelRepository, tmp_path: Path, spoil: Callable[[Path], None], error: type[Exception]
) -> None:
    made = make_version(tmp_path, 1)
    spoil(made)
    with pytest.raises(error):
        repository.publish(made)
    assert repository.versions() == ()
