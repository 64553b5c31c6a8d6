"""A repository in a folder: a model's base path as TensorFlow Serving reads it, on a disk or a shared volume.

    <base>/7/…, 8/…             visible versions, complete since the moment their names appeared
    <base>/.incoming-<token>/   a version on its way in; the lock on it lives as long as its publisher
    <base>/.removed-<token>/    a version on its way out
    <base>/.labels.json         where labels point
    <base>/.lock                held while a name appears, goes, or a label moves

A rename decides which of two publishers wins; the lock only makes the check for rising versions and the rename one step.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from model_export.artifact import MANIFEST_NAME, FileDigest, Manifest
from model_export.errors import RepositoryError
from model_export.repository.content import Version, checked_version, chunks, read_version
from model_export.repository.download import fetch_version
from model_export.repository.durable import locked, replace_file, sync_folder, try_lock
from model_export.repository.interface import Progress, refuse_publishing, resolve, silent, superseded
from model_export.repository.labels import Labels

_INCOMING: Final = ".incoming-"
_REMOVED: Final = ".removed-"
_LABELS: Final = ".labels.json"
_LOCK: Final = ".lock"


class FolderRepository:
    """The model repository on a file system with renames and locks."""

    def __init__(self, base_path: Path, *, progress: Progress = silent) -> None:
        self.base_path = base_path
        self._progress = progress

    @property
    def address(self) -> str:
        """The folder."""
        return str(self.base_path)

    def publish(self, version_path: Path) -> Manifest:
        """Copy a version in beside the others, then give it its name."""
        version = checked_version(version_path)
        self._refuse(version.manifest)
        with self._said(f"publish version {version.manifest.version}"), self._incoming() as incoming:
            copy = fetch_version(version, partial(_read, version_path), incoming, progress=self._progress)
            with self._locked(f"publish version {version.manifest.version}"):
                self._refuse(version.manifest)
                self._reveal(copy)
        return version.manifest

    def versions(self) -> tuple[int, ...]:
        """Return the numbers of finished version folders, rising."""
        with self._said("list versions"):
            names = [path.name for path in self.base_path.iterdir()] if self.base_path.exists() else []
        numbers = (
            int(name) for name in names if name.isascii() and name.isdecimal() and str(int(name)) == name
        )
        return tuple(
            sorted(each for each in numbers if (self.base_path / str(each) / MANIFEST_NAME).is_file())
        )

    def manifest(self, version: int) -> Manifest:
        """Return the manifest of a visible version."""
        return self._version(version).manifest

    def labels(self) -> Mapping[str, int]:
        """Return label -> version."""
        return dict(self._labels().pointers)

    def set_labels(self, changes: Mapping[str, int | None]) -> Mapping[str, int]:
        """Move labels under the lock, by replacing their one file."""
        with self._locked("move labels"):
            labels = self._labels().moved(changes, self.versions(), where=self.address)
            replace_file(self.base_path / _LABELS, labels.encode())
        return dict(labels.pointers)

    def fetch(self, reference: int | str, destination: Path) -> Path:
        """Copy a version out, checking every file."""
        version = self._version(resolve(reference, self.versions(), self.labels(), where=self.address))
        with self._said(f"fetch version {version.manifest.version}"):
            source = self.base_path / str(version.manifest.version)
            return fetch_version(version, partial(_read, source), destination, progress=self._progress)

    def gc(self, *, keep: int) -> tuple[int, ...]:
        """Take the names of superseded versions away, then their files, then what dead publishers left."""
        with self._locked("collect old versions"):
            doomed = superseded(self.versions(), self.labels(), keep=keep)
            for version in doomed:
                (self.base_path / str(version)).rename(self.base_path / f"{_REMOVED}{secrets.token_hex(8)}")
            sync_folder(self.base_path)
            self._sweep()
        return doomed

    def _refuse(self, manifest: Manifest) -> None:
        versions = self.versions()
        wanted = {manifest.version, *versions[-1:]}
        existing = {each: self._version(each).manifest if each in wanted else None for each in versions}
        refuse_publishing(manifest, existing, where=self.address)

    @contextmanager
    def _incoming(self) -> Iterator[Path]:
        """Give a hidden folder that a collection leaves alone as long as this process lives."""
        folder = self.base_path / f"{_INCOMING}{secrets.token_hex(8)}"
        with self._locked("take a version in"):
            folder.mkdir()
            lock = os.open(folder, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)

    def _reveal(self, copy: Path) -> None:
        place = self.base_path / copy.name
        if place.exists():
            raise RepositoryError(
                f"{place}: expected no such folder, received one without a {MANIFEST_NAME}; move it away"
            )
        copy.rename(place)
        sync_folder(self.base_path)

    def _version(self, version: int) -> Version:
        path = self.base_path / str(version)
        if not (path / MANIFEST_NAME).is_file():
            known = ", ".join(map(str, self.versions())) or "none"
            raise RepositoryError(
                f"{self.address}: expected a published version ({known}), received {version}; publish it first"
            )
        return read_version(path)

    def _labels(self) -> Labels:
        path = self.base_path / _LABELS
        with self._said("read labels"):
            return Labels.decode(path.read_bytes(), where=str(path)) if path.exists() else Labels()

    def _sweep(self) -> None:
        for path in self.base_path.iterdir():
            if path.name.startswith(_REMOVED):
                shutil.rmtree(path, ignore_errors=True)
            elif path.name.startswith(_INCOMING) and (lock := try_lock(path)) is not None:
                shutil.rmtree(path, ignore_errors=True)
                os.close(lock)

    @contextmanager
    def _locked(self, doing: str) -> Iterator[None]:
        with self._said(doing):
            self.base_path.mkdir(parents=True, exist_ok=True)
            lock = self.base_path / _LOCK
            lock.touch()
            with locked(lock):
                yield

    @contextmanager
    def _said(self, doing: str) -> Iterator[None]:
        """Turn a failure of the disk into words."""
        try:
            yield
        except OSError as error:
            raise RepositoryError(
                f"{self.address}: expected to {doing}, received {error}; mend the folder, then do it again"
            ) from error


def _read(folder: Path, path: str, _digest: FileDigest, start: int, /) -> Iterator[bytes]:
    return chunks(folder / path, start)
