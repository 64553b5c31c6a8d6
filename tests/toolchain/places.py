"""Folders of an imaginary user, and the marks that set-up leaves there."""

from pathlib import Path

from toolchain import virtualenvs
from toolchain.folders import Folders


def imagined(root: Path) -> Folders:
    return Folders(cache=root / "cache", data=root / "data", state=root / "state")


def set_up(root: Path) -> Folders:
    """Return folders in which both virtual environments stand."""
    folders = imagined(root)
    for environment in (virtualenvs.DEPLOY, virtualenvs.DEV):
        folder = virtualenvs.location(environment, folders)
        folder.mkdir(parents=True)
        (folder / virtualenvs.COMPLETE).touch()
    return folders
