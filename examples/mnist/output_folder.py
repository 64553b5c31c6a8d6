"""A folder that receives the results of a training all together, or not at all.

Files are made in a hidden folder beside their destination and renamed at the end, the file that announces them last. A killed
training leaves at most that hidden folder, which the next one removes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = ".training-"


@contextmanager
def filled_at_once(output_dir: Path, *, announced_by: str) -> Iterator[Path]:
    """Give a scratch folder; when the block succeeds, move its files into `output_dir`, `announced_by` last.

    An older `announced_by` goes first of all, so that it never announces a mixture of two trainings.
    """
    output_dir.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(output_dir)
    scratch = output_dir / f"{PREFIX}{os.getpid()}"
    scratch.mkdir()
    try:
        yield scratch
        (output_dir / announced_by).unlink(missing_ok=True)
        for path in sorted(scratch.iterdir(), key=lambda each: each.name == announced_by):
            path.replace(output_dir / path.name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _remove_abandoned(output_dir: Path) -> None:
    for folder in output_dir.glob(f"{PREFIX}*"):
        owner = folder.name.removeprefix(PREFIX)
        if not (owner.isdigit() and _is_running(int(owner))):
            shutil.rmtree(folder, ignore_errors=True)


def _is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return process_id != os.getpid()
