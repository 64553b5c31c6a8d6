"""A version folder and its manifest: whether every file is there, is the right one, and is the only one.

The manifest lists each file with its digest; `manifest.json.sha256` beside it, in the form of `sha256sum`, covers the manifest
itself, so that no flipped byte anywhere goes unnoticed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from model_export.artifact import MANIFEST_NAME, FileDigest, Manifest
from model_export.errors import DigestMismatchError, ManifestError, RepositoryError
from model_export.repository.paths import checked_path, refuse_collisions

SEAL_NAME: Final = f"{MANIFEST_NAME}.sha256"
CHUNK_BYTES: Final = 1 << 20
MAX_VERSION: Final = 2**63 - 1
"""TensorFlow Serving reads a version as int64."""
SIGNATURE_NAME: Final = "model.sig"
"""Who vouches for the version (`trust`). It travels with it, and is judged by whoever deploys or loads it, not here."""
MAX_SIGNATURE_BYTES: Final = 16 << 20
_OWN: Final = frozenset({MANIFEST_NAME, SEAL_NAME, SIGNATURE_NAME})
_HEX: Final = frozenset("0123456789abcdef")


@dataclass(frozen=True, kw_only=True)
class Version:
    """A manifest and the bytes it was read from."""

    manifest: Manifest
    text: bytes
    signature: bytes | None = None
    """Content of `model.sig`; None where nobody signed."""

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest's bytes, in hex."""
        return hashlib.sha256(self.text).hexdigest()

    @property
    def seal(self) -> bytes:
        """Content of `manifest.json.sha256`."""
        return sealed(self.digest)


def sealed(sha256: str) -> bytes:
    """Return what `manifest.json.sha256` says of a manifest with this digest."""
    return f"{sha256}  {MANIFEST_NAME}\n".encode()


def parse_version(
    text: bytes, *, where: str, seal: bytes | None = None, signature: bytes | None = None
) -> Version:
    """Read a manifest from bytes and check the names in it.

    Raises DigestMismatchError when the bytes are not those that were sealed, ManifestError when they are no manifest, and
    RepositoryError when it names files that no folder can hold.
    """
    found = sealed(hashlib.sha256(text).hexdigest())
    if seal not in {None, found}:
        raise DigestMismatchError(
            f"{where}: expected bytes that {SEAL_NAME} tells, received {found.decode().split()[0]}; publish it again"
        )
    try:
        manifest = Manifest.from_json(text.decode(), where=where)
    except (UnicodeDecodeError, RecursionError) as error:
        raise ManifestError(
            f"{where}: expected a manifest in JSON, received {error}; export the model again"
        ) from error
    _check_facts(manifest, where)
    return Version(manifest=manifest, text=text, signature=signature)


def read_version(version_path: Path) -> Version:
    """Read the manifest of a version folder, and its seal where there is one."""
    path, seal = version_path / MANIFEST_NAME, version_path / SEAL_NAME
    try:
        return parse_version(
            path.read_bytes(),
            where=str(path),
            seal=seal.read_bytes() if seal.exists() else None,
            signature=_read_signature(version_path / SIGNATURE_NAME),
        )
    except OSError as error:
        raise ManifestError(
            f"{path}: expected a readable model manifest, received {error}; export the model again"
        ) from error


def _read_signature(path: Path) -> bytes | None:
    if not path.exists():
        return None
    if path.stat().st_size > MAX_SIGNATURE_BYTES:
        raise RepositoryError(
            f"{path}: expected at most {MAX_SIGNATURE_BYTES} bytes, received more; sign again"
        )
    return path.read_bytes()


def checked_version(version_path: Path) -> Version:
    """Read a version folder and compare every file with the manifest.

    Raises DigestMismatchError when a file differs or is missing, and RepositoryError when there are others, links among them.
    """
    version = read_version(version_path)
    try:
        _compare(version.manifest, version_path)
    except OSError as error:
        raise RepositoryError(
            f"{version_path}: expected a readable version, received {error}; mend that, then do it again"
        ) from error
    return version


def file_digest(path: Path) -> FileDigest:
    """Return the digest and size of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileDigest(sha256=digest, size_bytes=file.tell())


def mismatch(where: str, expected: FileDigest, received: FileDigest | None) -> DigestMismatchError:
    """Return the error that says what a file should have been."""
    found = (
        "no such file" if received is None else f"{received.size_bytes} bytes with SHA-256 {received.sha256}"
    )
    return DigestMismatchError(
        f"{where}: expected {expected.size_bytes} bytes with SHA-256 {expected.sha256}, received {found}; "
        "the bytes were damaged or replaced: fetch or export the version again"
    )


def chunks(path: Path, start: int = 0) -> Iterator[bytes]:
    """Yield the bytes of a file from an offset."""
    with path.open("rb") as file:
        file.seek(start)
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _compare(manifest: Manifest, version_path: Path) -> None:
    found = {path.relative_to(version_path).as_posix(): path for path in _entries(version_path)}
    unlisted = sorted(found.keys() - manifest.files.keys() - _OWN)
    if unlisted:
        raise RepositoryError(
            f"{version_path}: expected only files that the manifest lists, received {unlisted[0]}; remove it"
        )
    for name, expected in manifest.files.items():
        received = file_digest(found[name]) if name in found else None
        if received != expected:
            raise mismatch(f"{version_path / name}", expected, received)


def _check_facts(manifest: Manifest, where: str) -> None:
    paths = [checked_path(name, where=where) for name in manifest.files]
    refuse_collisions([*paths, *(checked_path(name, where=where) for name in _OWN)], where=where)
    for name, digest in manifest.files.items():
        if not _is_digest(digest):
            raise ManifestError(
                f"{where}: expected a SHA-256 and a size for {name}, received {digest}; export the model again"
            )
    if (
        not isinstance(manifest.version, int)
        or isinstance(manifest.version, bool)
        or manifest.version > MAX_VERSION
    ):
        raise ManifestError(
            f"{where}: expected an integer version up to {MAX_VERSION}, received {manifest.version!r}; export the model again"
        )


def _is_digest(digest: FileDigest) -> bool:
    # JSON from a stranger: the types that the manifest declares are only promised so far.
    sha256, size_bytes = cast("object", digest.sha256), cast("object", digest.size_bytes)
    is_hash = isinstance(sha256, str) and len(sha256) == 64 and _HEX.issuperset(sha256)
    return is_hash and isinstance(size_bytes, int) and not isinstance(size_bytes, bool) and size_bytes >= 0


def _entries(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise RepositoryError(
                f"{path}: expected plain files and folders, received a link or device; put the file itself there"
            )
        if path.is_dir():
            yield from _entries(path)
        else:
            yield path
