"""Members of an archive as values, and the rules for all of them together: kinds, names, numbers and sizes."""

from __future__ import annotations

import stat
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from model_export.errors import RepositoryError
from model_export.repository.paths import checked_path, refuse_collisions

_UNIX: Final = 3
"""`create_system` of a zip made on Unix: only then the upper half of `external_attr` is a file mode (APPNOTE 4.4.2)."""
_ENCRYPTED: Final = 0x1
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much an archive may become."""

    files: int = 10_000
    total_bytes: int = 8 << 30
    """A servable is below 2 GiB by its format; assets and headroom come on top."""
    ratio: int = 200
    """Unpacked bytes for each packed one: deflate gives 1000 on zeros, weights give 1 to 10."""
    free_bytes: int = 16 << 20
    """Below this size no ratio is asked: a short text of blanks harms nobody."""

    def unpacked_bytes(self, packed_bytes: int) -> int:
        """Return how many bytes may come out of so many."""
        return min(self.total_bytes, max(self.free_bytes, packed_bytes * self.ratio))


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file or folder of an archive."""

    raw_name: str
    path: PurePosixPath
    is_file: bool
    size_bytes: int
    packed_bytes: int | None
    """`None` where the whole archive is packed as one."""


def check_members(members: Sequence[Member], *, where: str, limits: Limits, archive_bytes: int) -> None:
    """Refuse an archive whose members collide, are too many or too large. Raises RepositoryError."""
    files = [member for member in members if member.is_file]
    if len(members) > limits.files:
        raise RepositoryError(
            f"{where}: expected at most {limits.files} files, received {len(members)}; do not use it"
        )
    refuse_collisions([member.path for member in files], where=where)
    _refuse_repeated_folders(members, where=where)
    if any(member.size_bytes < 0 for member in files):
        raise RepositoryError(f"{where}: expected sizes from 0, received a negative one; do not use it")
    total, limit = sum(member.size_bytes for member in files), limits.unpacked_bytes(archive_bytes)
    if total > limit:  # of the whole: members that share their packed bytes are each innocent
        raise RepositoryError(
            f"{where}: expected at most {limit} bytes when unpacked, received {total}; do not use it"
        )
    for member in files:
        if member.packed_bytes is not None and member.size_bytes > limits.unpacked_bytes(member.packed_bytes):
            raise RepositoryError(
                f"{where}: expected at most {limits.ratio} bytes for each packed one, received {member.raw_name!r} with "
                f"{member.size_bytes} for {member.packed_bytes}; do not use it"
            )


def tar_members(container: tarfile.TarFile, *, where: str, limits: Limits) -> tuple[Member, ...]:
    """Read the members of a tar. Raises RepositoryError at the first that is neither a file nor a folder."""
    return tuple(_tar_members(container, where, limits))


def zip_members(container: zipfile.ZipFile, *, where: str) -> tuple[Member, ...]:
    """Read the members of a zip. Raises RepositoryError at the first that is neither a file nor a folder, or is hidden by a cipher."""
    return tuple(_zip_member(info, where) for info in container.infolist())


def _tar_members(container: tarfile.TarFile, where: str, limits: Limits) -> Iterator[Member]:
    for number, info in enumerate(container):
        if number > limits.files:
            return  # one too many is enough to be refused
        if info.isdir() and info.name.strip("./") == "":
            continue  # `tar -C folder .` writes the folder itself
        if not (info.isreg() or info.isdir()) or info.issparse():
            raise _refused(where, info.name, "a link, device or other special member")
        if info.mode & (stat.S_ISUID | stat.S_ISGID):
            raise _refused(where, info.name, "a file that takes another user's rights")
        path = checked_path(info.name.removeprefix("./"), where=where)
        yield Member(
            raw_name=info.name, path=path, is_file=info.isreg(), size_bytes=info.size, packed_bytes=None
        )


def _zip_member(info: zipfile.ZipInfo, where: str) -> Member:
    mode = info.external_attr >> 16 if info.create_system == _UNIX else 0
    kind = stat.S_IFMT(mode)
    # `filename` is what the library made of the stored name: it cuts at a zero byte and turns other separators into slashes.
    name = info.orig_filename
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise _refused(where, name, "a link, device or other special member")
    if mode & (stat.S_ISUID | stat.S_ISGID):
        raise _refused(where, name, "a file that takes another user's rights")
    if info.flag_bits & _ENCRYPTED:
        raise _refused(where, name, "an encrypted member")
    if info.compress_type not in _METHODS:
        raise _refused(where, name, f"compression method {info.compress_type}")
    path = checked_path(name.removesuffix("/"), where=where)
    is_file = not name.endswith("/")
    if not is_file and info.file_size:
        raise _refused(where, name, "a folder with content")
    return Member(
        raw_name=info.filename,
        path=path,
        is_file=is_file,
        size_bytes=info.file_size,
        packed_bytes=info.compress_size,
    )


def _refuse_repeated_folders(members: Sequence[Member], *, where: str) -> None:
    files = {member.path for member in members if member.is_file}
    for member in members:
        if not member.is_file and member.path in files:
            raise RepositoryError(
                f"{where}: expected a file or a folder, received {member.raw_name!r} as both; do not use it"
            )


def _refused(where: str, name: str, found: str) -> RepositoryError:
    return RepositoryError(
        f"{where}: expected plain files and folders, received {name[:200]!r}, {found}; do not use it"
    )
