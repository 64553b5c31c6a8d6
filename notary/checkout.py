"""What a checkout says about itself: its commit, whether anything is not committed, and the digests of its locks."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from notary.provenance import Material


def materials_of(checkout: Path, locks: Sequence[str]) -> Iterator[Material]:
    """Yield the source, where `checkout` is one of git, and each lock by its path in there. Raises OSError for a lock that is gone."""
    commit = _git(checkout, "rev-parse", "HEAD")
    if commit:
        is_changed = bool(_git(checkout, "status", "--porcelain", "--untracked-files=no"))
        yield Material(
            name="source", digest={"gitCommit": commit}, annotations={"uncommittedChanges": is_changed}
        )
    for lock in locks:
        content = (checkout / lock).read_bytes()
        yield Material(name=lock, digest={"sha256": hashlib.sha256(content).hexdigest()})


def _git(checkout: Path, *words: str) -> str:
    """Return what git answers; nothing where there is no git, or no checkout of it."""
    try:
        told = subprocess.run(["git", "-C", checkout, *words], capture_output=True, text=True)
    except OSError:
        return ""
    return told.stdout.strip() if told.returncode == 0 else ""
