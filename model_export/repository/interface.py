"""What every home of models can do, and what it promises.

Laws: a version is visible whole or not at all; visible content never changes; of two publishers of one version exactly one wins;
versions rise; labels move together in one step; what is fetched is what was published, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, Protocol

from model_export.artifact import Manifest
from model_export.errors import RepositoryError, VersionExistsError

LATEST: Final = "latest"
"""A label that always exists and cannot be set: the highest version."""


class Progress(Protocol):
    """Told of every chunk that moved."""

    def __call__(self, path: str, done_bytes: int, total_bytes: int) -> None:
        """Hear that so many bytes of one file are done."""


def silent(path: str, done_bytes: int, total_bytes: int) -> None:
    """Report nothing."""


class ModelRepository(Protocol):
    """The versions and labels of one model."""

    @property
    def address(self) -> str:
        """Where it is, as `open_repository` takes it."""

    def publish(self, version_path: Path) -> Manifest:
        """Make the version in a folder visible to everybody, whole.

        Raises VersionExistsError when the version is there (its `same_content` says whether nothing needed doing), and
        RepositoryError when a higher one is, when files do not match the manifest, or when the home cannot be reached.
        """

    def versions(self) -> tuple[int, ...]:
        """Return the visible versions, rising."""

    def manifest(self, version: int) -> Manifest:
        """Return the manifest of a visible version. Raises RepositoryError when it is not there or damaged."""

    def labels(self) -> Mapping[str, int]:
        """Return label -> version, without `latest`."""

    def set_labels(self, changes: Mapping[str, int | None]) -> Mapping[str, int]:
        """Move some labels, and remove those given as `None`, all in one step; return what then holds.

        Raises RepositoryError when a label or version cannot be had; then nothing has moved.
        """

    def fetch(self, reference: int | str, destination: Path) -> Path:
        """Bring a version, or what a label points at, to `<destination>/<version>`, going on where an earlier fetch stopped.

        Raises DigestMismatchError when any file differs from the manifest, and RepositoryError when it cannot be had.
        """

    def gc(self, *, keep: int) -> tuple[int, ...]:
        """Remove all but the highest `keep` versions and those with labels, and what dead publishers left; return the versions."""


def resolve(reference: int | str, versions: Iterable[int], labels: Mapping[str, int], *, where: str) -> int:
    """Return the visible version that a number or label stands for. Raises RepositoryError where there is none."""
    visible = tuple(versions)
    if reference == LATEST and visible:
        return max(visible)
    number = labels.get(reference) if isinstance(reference, str) else reference
    if number is None and isinstance(reference, str) and reference.isascii() and reference.isdecimal():
        number = int(reference)
    if number in visible:
        return number
    known = ", ".join([*map(str, visible), *sorted(labels)]) or "no versions at all"
    raise RepositoryError(
        f"{where}: expected one of {known}; received {reference!r}; name one of those, or publish it first"
    )


def refuse_publishing(manifest: Manifest, existing: Mapping[int, Manifest | None], *, where: str) -> None:
    """Refuse a version that is there, is not the highest, or belongs to another model.

    `existing` has the visible versions; the manifest may be left out for those that are neither the highest nor this one.
    """
    there = existing.get(manifest.version)
    if manifest.version in existing:
        same = there is not None and there.files == manifest.files and there.identity == manifest.identity
        content = (
            "the same content: nothing needs doing" if same else "other content: give it a higher version"
        )
        raise VersionExistsError(
            f"{where}: version {manifest.version} is published already, with {content}", same_content=same
        )
    if manifest.version < 0:
        raise RepositoryError(
            f"{where}: expected a version of 0 or higher, received {manifest.version}; export it with --version"
        )
    if not existing:
        return
    highest = max(existing)
    if highest > manifest.version:
        raise RepositoryError(
            f"{where}: expected a version above {highest}, received {manifest.version}; versions rise: export it with a higher one"
        )
    newest = existing[highest]
    if newest is not None and newest.name != manifest.name:
        raise RepositoryError(
            f"{where}: expected the model {newest.name!r} that lives here, received {manifest.name!r}; give it a base path of its own"
        )


def superseded(versions: Iterable[int], labels: Mapping[str, int], *, keep: int) -> tuple[int, ...]:
    """Return the versions that neither the highest `keep` nor any label needs. Raises RepositoryError where `keep` is below 1."""
    if keep < 1:
        raise RepositoryError(
            f"expected to keep at least 1 version, received {keep}; the highest one proves that versions rise"
        )
    rising = sorted(versions)
    needed = {*rising[-keep:], *labels.values()}
    return tuple(each for each in rising if each not in needed)
