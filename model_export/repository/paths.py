"""Names of files from strangers: manifests and archive members, checked before anything is written.

A name must stay below its folder on every file system, and no two names may meet in one file where letter case or Unicode form is
folded. So the rule looks at names alone and never asks the disk: nothing is resolved that could be a link.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final

from model_export.errors import RepositoryError

MAX_DEPTH: Final = 16
MAX_PART_BYTES: Final = 255
"""The limit of Linux file systems (`NAME_MAX`)."""
MAX_PATH_BYTES: Final = 900
"""An S3 key has 1024 bytes, and the prefix takes some."""
_RESERVED: Final = frozenset('\\:*?"<>|')


def checked_path(name: str, *, where: str) -> PurePosixPath:
    """Return a name as a relative path below its folder. Raises RepositoryError where it is not one."""
    fault = _fault(name)
    if fault:
        raise RepositoryError(
            f"{where}: expected names of files below their folder, received {name[:200]!r}, {fault}; do not use it"
        )
    return PurePosixPath(name)


def refuse_collisions(paths: Iterable[PurePosixPath], *, where: str) -> None:
    """Refuse paths that would meet in one file, or a file that is another one's folder. Raises RepositoryError."""
    files: dict[str, PurePosixPath] = {}
    folders: dict[str, PurePosixPath] = {}
    for path in paths:
        key = _folded(path)
        if key in files:
            raise _collision(where, files[key], path)
        files[key] = path
        for parent in path.parents:
            known = folders.setdefault(_folded(parent), parent)
            if known != parent:
                raise _collision(where, known, parent)
    for key in files.keys() & folders.keys():
        raise _collision(where, files[key], folders[key])


def _fault(name: str) -> str:
    parts = name.split("/")
    found = {
        "an empty name": not name,
        "an absolute path": name.startswith("/"),
        "a step out of the folder": ".." in parts,
        "an empty or idle step": bool(name) and not name.startswith("/") and bool({"", "."} & set(parts)),
        "characters that some file systems treat as special": any(
            each in _RESERVED or not each.isprintable() for each in name
        ),
        "a part that ends in a space or dot": any(
            part.endswith((" ", ".")) for part in parts if part not in {".", ".."}
        ),
        "too many folders": len(parts) > MAX_DEPTH,
        "a name that is too long": _bytes(name) > MAX_PATH_BYTES
        or any(_bytes(part) > MAX_PART_BYTES for part in parts),
    }
    return next((fault for fault, is_found in found.items() if is_found), "")


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _folded(path: PurePosixPath) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", str(path)).casefold())


def _collision(where: str, one: PurePosixPath, other: PurePosixPath) -> RepositoryError:
    return RepositoryError(
        f"{where}: expected names that stay apart on every file system, received {one} and {other}; do not use it"
    )
