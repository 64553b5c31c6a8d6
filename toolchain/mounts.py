"""Mounts below a folder: finding them, and getting them out of the way before the folder is removed.

Removing a tree through a mount that a killed process left there would delete what is mounted.
"""

import re
import shutil
import subprocess
from pathlib import Path

from toolchain.errors import MountedStill


def below(root: Path, mountinfo: str) -> list[str]:
    """Return the mount points below a folder, deepest first, from the text of /proc/self/mountinfo (proc(5))."""
    points = [_unescape(line.split()[4]) for line in mountinfo.splitlines()]
    prefix = f"{root}/"
    return sorted((point for point in points if point.startswith(prefix)), key=len, reverse=True)


def unmount_below(root: Path) -> None:
    """Unmount everything below our root; what is busy is detached and goes when its last user does."""
    # A mount point can be stacked, or come into view only after another went: look again.
    for _attempt in range(3):
        points = below(root.resolve(), Path("/proc/self/mountinfo").read_text())
        if not points:
            return
        for point in points:
            subprocess.run(["umount", "--lazy", "--no-canonicalize", point], capture_output=True)


def remove_tree(folder: Path) -> None:
    """Remove a folder that may have mounts below it. Raises MountedStill rather than delete through one."""
    unmount_below(folder)
    left = below(folder.resolve(), Path("/proc/self/mountinfo").read_text())
    if left:
        raise MountedStill(
            f"{folder} cannot be removed while {left[0]} is mounted; unmount it and run the same command again"
        )
    shutil.rmtree(folder, ignore_errors=True)


def _unescape(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
