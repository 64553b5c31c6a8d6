"""Removing from the cache what this checkout no longer needs: earlier keys of the things it still makes.

Not done unasked: another checkout, or the same one a commit ago, may need them, and they take long to make.
"""

import re
from pathlib import Path

from toolchain import base_images, binaries, definitions, mounts, virtualenvs
from toolchain.folders import Folders
from toolchain.progress import Progress

KEYED = re.compile(r"(?P<name>.+)-[0-9a-f]{12}(\.partial)?")


def prune(folders: Folders, progress: Progress) -> None:
    """Remove superseded binaries, virtual environments and base images."""
    with progress.step("remove what is superseded") as step:
        old = superseded(folders.binaries, needed(folders))
        for folder in old:
            mounts.remove_tree(folder)
        step.note = ", ".join(folder.name for folder in old) or "nothing"


def needed(folders: Folders) -> set[Path]:
    """Return every folder that this checkout uses."""
    environments = (virtualenvs.DEPLOY, virtualenvs.DEV)
    return {
        base_images.location(folders),
        definitions.location(folders),
        *(binaries.location(binary, folders).parent for binary in binaries.ALL),
        *(virtualenvs.location(environment, folders) for environment in environments),
    }


def superseded(cache: Path, keep: set[Path]) -> list[Path]:
    """Return the folders that carry the name of a kept one with another key; strangers are left alone."""
    names = {_name(folder) for folder in keep} - {None}
    return sorted(folder for folder in cache.iterdir() if folder not in keep and _name(folder) in names)


def _name(folder: Path) -> str | None:
    found = KEYED.fullmatch(folder.name)
    return found["name"] if found else None
