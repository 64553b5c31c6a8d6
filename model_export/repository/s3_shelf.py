"""One repository's objects in a bucket: their keys, their listing by version, and every request tried again within limits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from model_export.artifact import MANIFEST_NAME, FileDigest
from model_export.errors import RepositoryError
from model_export.repository.bucket import AbsentError, Bucket, Document, Stored
from model_export.repository.content import SIGNATURE_NAME
from model_export.repository.interface import Progress
from model_export.repository.retry import Retry, TransientError

T = TypeVar("T")

LABELS_NAME: Final = "labels.json"
CONDITIONS_NAME: Final = "conditional-writes"


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The objects of every version, seen at one time."""

    objects: Mapping[int, tuple[Stored, ...]]
    newest: datetime | None
    """When the last of them was written, by the server's clock."""

    def visible(self) -> tuple[int, ...]:
        """Return the versions that have a manifest, rising."""
        return tuple(
            sorted(
                number
                for number, stored in self.objects.items()
                if any(each.key.endswith(f"/{number}/{MANIFEST_NAME}") for each in stored)
            )
        )


class Shelf:
    """The objects below one prefix."""

    def __init__(self, bucket: Bucket, prefix: str, *, retry: Retry) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/".lstrip("/")
        self._retry = retry

    @property
    def address(self) -> str:
        """The address of the repository."""
        return f"s3://{self._bucket.name}/{self._prefix}".rstrip("/")

    def listing(self) -> Listing:
        """Look at every object that belongs to a version."""
        found: dict[int, list[Stored]] = defaultdict(list)
        for each in self.call(partial(self._bucket.list, self._prefix), f"list {self.address}"):
            name, slash, _ = each.key.removeprefix(self._prefix).partition("/")
            if slash and name.isascii() and name.isdecimal() and str(int(name)) == name:
                found[int(name)].append(each)
        newest = max((each.modified for stored in found.values() for each in stored), default=None)
        return Listing(objects={number: tuple(stored) for number, stored in found.items()}, newest=newest)

    def read(self, name: str) -> Document:
        """Return a small object. Raises AbsentError where there is none."""
        return self.call(partial(self._bucket.get, self._prefix + name), f"read {name} of {self.address}")

    def write(
        self,
        name: str,
        content: bytes,
        *,
        facts: Mapping[str, str] | None = None,
        if_match: str | None = None,
        if_absent: bool = False,
    ) -> None:
        """Write a small object, on a condition if asked. Raises ConditionFailedError where it does not hold."""
        put = partial(
            self._bucket.put,
            self._prefix + name,
            content,
            facts=facts or {},
            if_match=if_match,
            if_absent=if_absent,
        )
        self.call(put, f"write {name} of {self.address}")

    def upload(self, version: int, path: Path, digest: FileDigest, *, name: str, progress: Progress) -> None:
        """Bring a file, unless an earlier attempt brought it: the server compared its bytes with the digest then."""
        key = self._prefix + file_name(version, digest)
        try:
            there = self.call(partial(self._bucket.size_bytes, key), f"look for {name} in {self.address}")
        except AbsentError:
            there = None
        if there == digest.size_bytes:
            progress(name, digest.size_bytes, digest.size_bytes)
            return
        self.call(
            partial(self._bucket.upload, key, path, digest, name=name, progress=progress),
            f"upload {name} to {self.address}",
        )

    def download(self, version: int, path: str, digest: FileDigest, start: int, /) -> Iterator[bytes]:
        """Yield a file's bytes, going on where a broken answer stopped; failures count until a byte arrives."""
        key, position, failures = self._prefix + file_name(version, digest), start, 0
        while position < digest.size_bytes:
            try:
                for chunk in self._bucket.stream(key, position):
                    position, failures = position + len(chunk), 0
                    yield chunk
                break
            except TransientError as error:
                failures += 1
                self._retry.pause(failures, error, doing=f"fetch {path} of {self.address}")
            except AbsentError as error:
                raise RepositoryError(
                    f"{self.address}: expected {path} of version {version}, received nothing; it was removed meanwhile"
                ) from error

    def remove(self, key: str) -> None:
        """Remove an object by its whole key; it is no error when there is none."""
        self.call(partial(self._bucket.delete, key), f"remove {key} from {self.address}")

    def key(self, name: str) -> str:
        """Return the whole key of an object."""
        return self._prefix + name

    def call(self, action: Callable[[], T], doing: str) -> T:
        """Run an action, again where that may help. Raises RepositoryError where it does not."""
        return self._retry.call(action, doing=doing)


def file_name(version: int, digest: FileDigest) -> str:
    """Return where a file of a version lies, below the prefix."""
    return f"{version}/files/{digest.sha256}"


def signature_name(version: int) -> str:
    """Return where the signature of a version lies, below the prefix."""
    return f"{version}/{SIGNATURE_NAME}"


def manifest_name(version: int) -> str:
    """Return where the manifest of a version lies, below the prefix."""
    return f"{version}/{MANIFEST_NAME}"
