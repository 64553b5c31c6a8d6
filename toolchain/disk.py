"""Free disk, asked before it is needed: a full disk in the middle leaves half-made things."""

import shutil
from pathlib import Path

from toolchain.errors import MissingRequirement


def require_free(folder: Path, needed_bytes: int, *, purpose: str, variable: str) -> None:
    """Raise MissingRequirement when the disk of the folder cannot hold what is about to be made.

    `variable` names the environment variable that moves the folder to another disk.
    """
    free_bytes = shutil.disk_usage(_existing(folder)).free
    if free_bytes < needed_bytes:
        raise MissingRequirement(
            f"{purpose} needs {needed_bytes / 1e9:.0f} GB of free disk under {folder}, and {free_bytes / 1e9:.1f} GB are "
            f"free; make room, or point {variable} to a larger disk"
        )


def _existing(folder: Path) -> Path:
    return next(each for each in (folder, *folder.parents) if each.exists())
