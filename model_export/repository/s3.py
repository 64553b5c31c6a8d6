"""A repository in S3, or in any server that speaks it.

    <prefix>/7/files/<sha256>    one object per file, named by its content: two publishers can never mix theirs
    <prefix>/7/manifest.json     written last, on condition that there is none: this write makes the version visible, and whole
    <prefix>/labels.json         where labels point; replaced on condition that nobody else has moved one since it was read
    <prefix>/conditional-writes  proof that the server keeps the conditions it is given

The server's conditional writes (If-None-Match, If-Match) decide who wins; a client that did not hear the answer finds its own token
in what is stored. Collections first write in `labels.json` which versions go, so that no label can be moved to one of them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from model_export.artifact import Manifest
from model_export.errors import RepositoryError, VersionExistsError
from model_export.repository.bucket import MAX_OBJECT_BYTES, AbsentError, Bucket, ConditionFailedError
from model_export.repository.content import Version, checked_version, parse_version, sealed
from model_export.repository.download import fetch_version
from model_export.repository.interface import Progress, refuse_publishing, resolve, silent, superseded
from model_export.repository.labels import Labels
from model_export.repository.retry import Retry, TransientError
from model_export.repository.s3_shelf import (
    CONDITIONS_NAME,
    LABELS_NAME,
    Listing,
    Shelf,
    file_name,
    manifest_name,
    signature_name,
)

_PUBLISHER: Final = "publisher"
_SHA256: Final = "sha256"
_SIGNED: Final = "signed"
_UNFINISHED: Final = timedelta(days=1)
"""No publisher takes a day: what is older and belongs to no visible version was left by a dead one."""


class S3Repository:
    """The model repository below one prefix of a bucket."""

    def __init__(self, shelf: Shelf, *, single_writer: bool = False, progress: Progress = silent) -> None:
        self._shelf = shelf
        self._single_writer = single_writer
        self._progress = progress

    @classmethod
    def connect(
        cls,
        bucket: str,
        prefix: str,
        *,
        single_writer: bool = False,
        retry: Retry | None = None,
        progress: Progress = silent,
    ) -> S3Repository:
        """Open a repository with credentials, region and endpoint from the environment."""
        shelf = Shelf(Bucket.connect(bucket), prefix, retry=retry or Retry())
        return cls(shelf, single_writer=single_writer, progress=progress)

    @property
    def address(self) -> str:
        """The address, as `open_repository` takes it."""
        return self._shelf.address

    def publish(self, version_path: Path) -> Manifest:
        """Upload the files of a version, then its manifest."""
        version = checked_version(version_path)
        manifest = version.manifest
        self._refuse(manifest)
        if not self._single_writer:
            self._require_conditions()
        for path, digest in manifest.files.items():
            if digest.size_bytes > MAX_OBJECT_BYTES:
                raise RepositoryError(
                    f"{path}: expected at most {MAX_OBJECT_BYTES} bytes, received {digest.size_bytes}; split the asset"
                )
            self._shelf.upload(
                manifest.version, version_path / path, digest, name=path, progress=self._progress
            )
        if version.signature is not None:
            self._shelf.write(signature_name(manifest.version), version.signature)
        self._refuse(manifest)
        self._reveal(version)
        return manifest

    def versions(self) -> tuple[int, ...]:
        """Return the versions that have a manifest, rising."""
        return self._shelf.listing().visible()

    def manifest(self, version: int) -> Manifest:
        """Return the manifest of a visible version."""
        return self._version(version).manifest

    def labels(self) -> Mapping[str, int]:
        """Return label -> version."""
        return dict(self._labels()[0].pointers)

    def set_labels(self, changes: Mapping[str, int | None]) -> Mapping[str, int]:
        """Move labels by replacing their one object, again from the start when somebody else was faster."""
        moved = self._replace_labels(
            lambda labels: labels.moved(changes, self.versions(), where=self.address)
        )
        return dict(moved.pointers)

    def fetch(self, reference: int | str, destination: Path) -> Path:
        """Download a version, checking every file."""
        number = resolve(reference, self.versions(), self.labels(), where=self.address)
        return fetch_version(
            self._version(number), partial(self._shelf.download, number), destination, progress=self._progress
        )

    def gc(self, *, keep: int) -> tuple[int, ...]:
        """Say which versions go, remove their manifests, then their files, then what dead publishers left."""
        listing = self._shelf.listing()

        def choose(labels: Labels) -> Labels:
            return replace(
                labels, removed=frozenset(superseded(listing.visible(), labels.pointers, keep=keep))
            )

        doomed = self._replace_labels(choose).removed
        for version in doomed:
            self._shelf.remove(self._shelf.key(manifest_name(version)))
        for key in self._unneeded(listing, doomed):
            self._shelf.remove(key)
        return tuple(sorted(doomed))

    def _refuse(self, manifest: Manifest) -> None:
        versions = self.versions()
        wanted = {manifest.version, *versions[-1:]}
        existing = {each: self._version(each).manifest if each in wanted else None for each in versions}
        refuse_publishing(manifest, existing, where=self.address)

    def _require_conditions(self) -> None:
        """Prove that a second conditional write of one object is refused; some servers accept conditions and ignore them."""
        for _ in range(2):
            try:
                self._shelf.write(CONDITIONS_NAME, b"", if_absent=True)
            except ConditionFailedError:
                return
        raise RepositoryError(
            f"{self.address}: expected a server that keeps If-None-Match, received one that ignores it; use another server, or add "
            "?writers=one to the address where only one publisher can run at a time"
        )

    def _reveal(self, version: Version) -> None:
        name, token = manifest_name(version.manifest.version), secrets.token_hex(16)
        facts = {_PUBLISHER: token, _SHA256: version.digest}
        if version.signature is not None:
            facts[_SIGNED] = "yes"
        try:
            self._shelf.write(name, version.text, facts=facts, if_absent=not self._single_writer)
        except ConditionFailedError as error:
            stored = self._shelf.read(name)
            if stored.facts.get(_PUBLISHER) == token:
                return  # the first attempt had arrived; only its answer was lost
            raise VersionExistsError(
                f"{self.address}: version {version.manifest.version} was published by another publisher meanwhile; give yours a higher one",
                same_content=stored.content == version.text,
            ) from error

    def _version(self, version: int) -> Version:
        name = manifest_name(version)
        try:
            stored = self._shelf.read(name)
        except AbsentError as error:
            raise RepositoryError(
                f"{self.address}: expected a published version, received {version}; publish it first"
            ) from error
        seal = sealed(stored.facts.get(_SHA256, "nothing"))
        signature = self._signature(version) if _SIGNED in stored.facts else None
        return parse_version(stored.content, where=f"{self.address}/{name}", seal=seal, signature=signature)

    def _signature(self, version: int) -> bytes:
        try:
            return self._shelf.read(signature_name(version)).content
        except AbsentError as error:
            raise RepositoryError(
                f"{self.address}: expected the signature of version {version}, received none; publish it again"
            ) from error

    def _labels(self) -> tuple[Labels, str | None]:
        try:
            stored = self._shelf.read(LABELS_NAME)
        except AbsentError:
            return Labels(), None
        return Labels.decode(stored.content, where=f"{self.address}/{LABELS_NAME}"), stored.etag

    def _replace_labels(self, change: Callable[[Labels], Labels]) -> Labels:
        def attempt() -> Labels:
            labels, etag = self._labels()
            changed = change(labels)
            condition = None if self._single_writer else etag
            try:
                self._shelf.write(
                    LABELS_NAME,
                    changed.encode(),
                    if_match=condition,
                    if_absent=etag is None and not self._single_writer,
                )
            except ConditionFailedError as error:
                raise TransientError("labels that somebody else was moving at the same time") from error
            return changed

        return self._shelf.call(attempt, f"move labels of {self.address}")

    def _unneeded(self, listing: Listing, doomed: frozenset[int]) -> Iterator[str]:
        visible = set(listing.visible()) - doomed
        for number, stored in listing.objects.items():
            files = self.manifest(number).files.values() if number in visible else ()
            kept = {
                self._shelf.key(each)
                for each in (
                    manifest_name(number),
                    signature_name(number),
                    *(file_name(number, file) for file in files),
                )
            }
            for each in stored:
                is_left_over = listing.newest is not None and listing.newest - each.modified > _UNFINISHED
                if each.key not in kept and (number in doomed or is_left_over):
                    yield each.key
