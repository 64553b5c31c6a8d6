"""Fetching a version into a folder: resumed where it stopped, checked file by file, visible in one step.

    <destination>/.fetching-<version>-<manifest digest>/   files arrive here, and stay here when the fetch dies
    <destination>/<version>                                the same folder, renamed, once every digest is right

The name of the first holds the digest of the manifest, so that what lies there can only belong to the same content.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from model_export.artifact import MANIFEST_NAME, FileDigest
from model_export.errors import DigestMismatchError, RepositoryError, VersionExistsError
from model_export.repository.content import (
    CHUNK_BYTES,
    SEAL_NAME,
    SIGNATURE_NAME,
    Version,
    checked_version,
    file_digest,
    mismatch,
)
from model_export.repository.durable import sync_folder, sync_tree, try_lock, write_file
from model_export.repository.interface import Progress


class FileReader(Protocol):
    """Reads one published file of a version."""

    def __call__(self, path: str, digest: FileDigest, start: int, /) -> Iterator[bytes]:
        """Yield the bytes of a file from an offset."""


def fetch_version(version: Version, read: FileReader, destination: Path, *, progress: Progress) -> Path:
    """Bring a version to `<destination>/<version>` and return that folder.

    Raises DigestMismatchError when a file is not what the manifest says, VersionExistsError when other content stands there, and
    RepositoryError when another process fetches the same version to the same place, or the disk fails.
    """
    try:
        return _fetch(version, read, destination, progress)
    except OSError as error:
        raise RepositoryError(
            f"{destination}: expected to write version {version.manifest.version} there, received {error}; mend that, then fetch again"
        ) from error


def _fetch(version: Version, read: FileReader, destination: Path, progress: Progress) -> Path:
    final = destination / str(version.manifest.version)
    destination.mkdir(parents=True, exist_ok=True)
    if final.exists():
        return _already_there(version, final)
    arriving = destination / f".fetching-{version.manifest.version}-{version.digest[:16]}"
    arriving.mkdir(exist_ok=True)
    with _alone(arriving):
        if final.exists():
            return _already_there(version, final)
        for path, digest in version.manifest.files.items():
            _bring(arriving / path, path, digest, read, progress)
        write_file(arriving / MANIFEST_NAME, version.text)
        write_file(arriving / SEAL_NAME, version.seal)
        if version.signature is not None:
            write_file(arriving / SIGNATURE_NAME, version.signature)
        checked_version(arriving)
        sync_tree(arriving)
        arriving.rename(final)
        sync_folder(destination)
    return final


def _already_there(version: Version, final: Path) -> Path:
    if checked_version(final).text != version.text:
        raise VersionExistsError(
            f"{final}: expected room for version {version.manifest.version}, received other content; move it away"
        )
    return final


@contextmanager
def _alone(arriving: Path) -> Iterator[None]:
    lock = try_lock(arriving)
    if lock is None:
        raise RepositoryError(
            f"{arriving}: expected no other fetch of this version, received one at work; wait for it to finish"
        )
    try:
        yield
    finally:
        os.close(lock)


def _bring(target: Path, path: str, digest: FileDigest, read: FileReader, progress: Progress) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    resumed = target.exists()
    if resumed and file_digest(target) == digest:
        progress(path, digest.size_bytes, digest.size_bytes)
        return
    try:
        _receive(target, path, digest, read, progress)
    except DigestMismatchError:
        target.unlink(missing_ok=True)
        if not resumed:
            raise
        # What lay here from an earlier fetch may have been damaged since: once more, from the start.
        _receive(target, path, digest, read, progress)


def _receive(target: Path, path: str, digest: FileDigest, read: FileReader, progress: Progress) -> None:
    content = hashlib.sha256()
    with target.open("a+b") as file:
        if file.tell() > digest.size_bytes:
            file.truncate(0)
        file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            content.update(chunk)
        done = file.tell()
        for chunk in read(path, digest, done) if done < digest.size_bytes else ():
            done += len(chunk)
            if done > digest.size_bytes:
                break
            file.write(chunk)
            content.update(chunk)
            progress(path, done, digest.size_bytes)
        file.flush()
        os.fsync(file.fileno())
    received = FileDigest(sha256=content.hexdigest(), size_bytes=done)
    if received != digest:
        raise mismatch(path, digest, received)
