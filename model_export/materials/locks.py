"""The packages that a lock installs: pip's requirement files with hashes, as `bin/lock` writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from model_export.errors import ManifestError

_REQUIREMENT: Final = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[\w,-]+\])?==([^\s;\\]+)")
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, kw_only=True, order=True)
class Locked:
    """One package of a lock."""

    name: str
    version: str
    hashes: tuple[str, ...]
    """SHA-256 of every file of it that may be installed: one for each platform, and the source."""


def read_lock(path: Path) -> Iterator[Locked]:
    """Yield the packages of a lock. Raises ManifestError for a line that pins no version with a hash."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(
            f"{path}: expected a lock of `bin/lock`, received {error}; name another file"
        ) from error
    for entry in re.split(r"\n(?=\S)", text.strip()):
        if entry.startswith(("#", "--")) or not entry.strip():
            continue
        found, hashes = _REQUIREMENT.match(entry), tuple(_HASH.findall(entry))
        if found is None or not hashes:
            raise ManifestError(
                f"{path}: expected a package with a version and hashes, received {entry.splitlines()[0]!r}; run `bin/lock`"
            )
        yield Locked(name=found[1].lower(), version=found[2], hashes=hashes)
