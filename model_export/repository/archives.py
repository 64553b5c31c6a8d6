"""Archives of one version: packed the same way every time, unpacked as if a stranger had sent them.

Nothing is left to the archive libraries' own safety (Python's tar filter was bypassed by links: CVE-2025-4517, CVE-2025-4330,
CVE-2025-4138). Every member is read as a name and a kind first; only plain files and folders pass, names must stay below the folder
and apart from each other, and sizes are limited before and while bytes are written. The files get our own mode and owner.
"""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

from model_export.artifact import MANIFEST_NAME
from model_export.errors import RepositoryError
from model_export.repository.bounded import BoundedReader
from model_export.repository.content import CHUNK_BYTES, SIGNATURE_NAME, checked_version
from model_export.repository.durable import sync_tree
from model_export.repository.members import Limits, Member, check_members, tar_members, zip_members

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file can tell."""
_BROKEN: Final = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    gzip.BadGzipFile,
    NotImplementedError,  # zipfile: a compression method that it lacks
    RuntimeError,  # zipfile: an encrypted member
)
"""What the archive libraries raise on damaged, encrypted or exotic input."""


@dataclass(frozen=True, kw_only=True)
class _Archive:
    members: tuple[Member, ...]
    container: tarfile.TarFile | zipfile.ZipFile


def pack(version_path: Path, archive: Path) -> None:
    """Write a version folder into a `.zip`, the same bytes for the same version. Raises RepositoryError when it is not whole."""
    version = checked_version(version_path)
    with zipfile.ZipFile(archive, "w") as target:
        own = [MANIFEST_NAME] if version.signature is None else [MANIFEST_NAME, SIGNATURE_NAME]
        for name in [*sorted(version.manifest.files), *own]:
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = 0o644 << 16
            with (
                (version_path / name).open("rb") as source,
                target.open(info, "w", force_zip64=True) as member,
            ):
                shutil.copyfileobj(source, member, CHUNK_BYTES)


def unpack(archive: Path, destination: Path, *, limits: Limits | None = None) -> Path:
    """Unpack a `.zip`, `.tar`, `.tar.gz` or `.tgz` of one version into a folder that is not there yet, and check the version.

    Raises RepositoryError when any member is refused or the version is not whole; then nothing is left behind.
    """
    bounds = limits or Limits()
    if destination.exists():
        raise RepositoryError(
            f"{destination}: expected room for a new folder, received one that is there; move it away"
        )
    destination.mkdir(parents=True)
    try:
        with _opened(archive, bounds) as found:
            check_members(
                found.members, where=str(archive), limits=bounds, archive_bytes=archive.stat().st_size
            )
            for member in found.members:
                if member.is_file:
                    _extract(found.container, member, destination / member.path)
        checked_version(destination)
        sync_tree(destination)
    except BaseException as error:
        shutil.rmtree(destination, ignore_errors=True)
        if isinstance(error, (*_BROKEN, OSError, ValueError)):
            raise RepositoryError(
                f"{archive}: expected a whole archive of one version, received {error}; pack it again"
            ) from error
        raise
    return destination


@contextmanager
def _opened(archive: Path, limits: Limits) -> Iterator[_Archive]:
    with archive.open("rb") as file:
        size_bytes = file.seek(0, os.SEEK_END)
        file.seek(0)
        magic = file.read(4)
        file.seek(0)
        if magic == b"PK\x03\x04":
            with zipfile.ZipFile(file) as container:
                yield _Archive(members=zip_members(container, where=str(archive)), container=container)
            return
        unzipped = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if magic[:2] == b"\x1f\x8b" else file
        bounded = BoundedReader(unzipped, where=str(archive), limit_bytes=limits.unpacked_bytes(size_bytes))
        with tarfile.TarFile(fileobj=bounded) as container:  # type: ignore[arg-type]  # it reads, seeks and tells, as tarfile asks
            members = tar_members(container, where=str(archive), limits=limits)
            while bounded.read(CHUNK_BYTES):
                pass  # gzip compares its checksum at the very end, behind the last member
            yield _Archive(members=members, container=container)


def _extract(container: tarfile.TarFile | zipfile.ZipFile, member: Member, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(container, zipfile.ZipFile):
        source: IO[bytes] | None = container.open(member.raw_name)
    else:
        source = container.extractfile(member.raw_name)
    if source is None:
        raise RepositoryError(
            f"{member.raw_name!r}: expected a file with content, received none; pack the archive again"
        )
    with source, target.open("xb") as file:
        left = member.size_bytes
        while chunk := source.read(min(CHUNK_BYTES, left + 1)):
            left -= len(chunk)
            if left < 0:
                raise RepositoryError(
                    f"{member.raw_name!r}: expected {member.size_bytes} bytes, received more; do not use this archive"
                )
            file.write(chunk)
        os.fchmod(file.fileno(), 0o644)
