"""A version folder appears whole or not at all.

    absent ──staged()──> hidden `.export-…` (locked) ──commit()──> `<version>/`
                              │ failure: removed at once
                              └ kill -9: lock falls with the process; the next export removes it

The hidden folder carries an advisory lock on itself for as long as its owner lives. A lock, unlike a recorded process id, cannot
be mistaken after the id is given to someone else, and it holds across containers that share a volume of one machine.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from model_export.errors import RepositoryError

PREFIX: Final = ".export-"


@contextmanager
def staged(base_path: Path) -> Iterator[Path]:
    """Give a locked hidden folder inside `base_path`; it is gone afterwards unless it was committed."""
    try:
        base_path.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(base_path)
        folder, lock = _create_locked(base_path)
    except OSError as error:
        message = (
            f"expected to write into {base_path}, received: {error.strerror}; correct the path or its rights"
        )
        raise RepositoryError(message) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def commit(folder: Path, version_path: Path) -> bool:
    """Make a staged folder durable and visible in one step; False when that version has appeared meanwhile."""
    for path in sorted(folder.rglob("*"), reverse=True):
        _flush(path)
    _flush(folder)
    try:
        folder.rename(version_path)
    except OSError:
        if version_path.exists():
            return False
        raise
    _flush(version_path.parent)
    return True


def replace_file(path: Path, text: str) -> None:
    """Replace a small file in one step: readers see the old text or the new one."""
    scratch = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        scratch.write_text(text, encoding="utf-8")
        _flush(scratch)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
    _flush(path.parent)


def _create_locked(base_path: Path) -> tuple[Path, int]:
    while True:
        folder = base_path / f"{PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
        folder.mkdir()
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        # Between mkdir and here another export may have taken the folder for an abandoned one.
        if _try_lock(lock) and folder.exists():
            return folder, lock
        os.close(lock)


def _remove_abandoned(base_path: Path) -> None:
    for folder in base_path.glob(f"{PREFIX}*"):
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue  # another export removed it first
        try:
            if _try_lock(lock):
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
