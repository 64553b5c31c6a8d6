"""The seam to S3: a handful of object operations over boto3, with errors sorted into three kinds.

Worth another attempt (TransientError), a condition that did not hold (ConditionFailedError), and what an operator must mend
(RepositoryError). boto3 itself does not retry: one place decides, and it also covers bodies that break off half way.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, Final, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as EndpointError
from urllib3.exceptions import HTTPError

from model_export.artifact import FileDigest
from model_export.errors import RepositoryError
from model_export.repository.content import CHUNK_BYTES
from model_export.repository.interface import Progress
from model_export.repository.retry import TransientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

MAX_OBJECT_BYTES: Final = 5 << 30
"""What one PUT may carry (Amazon S3 User Guide, "Uploading objects"). A servable is one protocol buffer below 2 GiB."""

_BUSY: Final = frozenset(
    {
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "RequestTimeout",
        "InternalError",
        "ServiceUnavailable",
        "ConditionalRequestConflict",
    }
)
_CONDITION: Final = frozenset({"PreconditionFailed", "412"})
_ABSENT: Final = frozenset({"NoSuchKey", "404", "NotFound"})
_REMEDIES: Final = {
    "NoSuchBucket": "create the bucket, or correct the address",
    "AccessDenied": "give these credentials access to the bucket",
    "InvalidAccessKeyId": "correct the credentials",
    "SignatureDoesNotMatch": "correct the credentials",
    "RequestTimeTooSkewed": "set this machine's clock",
    "ExpiredToken": "renew the credentials",
    "BadDigest": "the bytes changed on their way: do it again",
    "NotImplemented": "use a server with conditional writes, or add ?writers=one to the address",
}


class ConditionFailedError(Exception):
    """The object was not in the state that a conditional write asked for."""


class AbsentError(Exception):
    """There is no such object."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One object in a listing."""

    key: str
    size_bytes: int
    modified: datetime


@dataclass(frozen=True, kw_only=True)
class Document:
    """A small object, read whole."""

    content: bytes
    etag: str
    facts: Mapping[str, str]
    """The object's own metadata, written in the same step as its content."""


class Bucket:
    """Objects below one bucket; every method makes one request, listings aside."""

    def __init__(self, name: str, client: S3Client) -> None:
        self.name = name
        self._client = client

    @classmethod
    def connect(cls, name: str) -> Bucket:
        """Open a bucket with credentials, region and endpoint from the environment, as every AWS client finds them."""
        config = Config(
            connect_timeout=5,
            read_timeout=30,
            retries={"total_max_attempts": 1, "mode": "standard"},
            # Every byte that is read is held against our own digests, which also cover what happened before the upload.
            response_checksum_validation="when_required",
        )
        with _sorted_errors(f"connect to s3://{name}"):
            # A session of its own: the default one is shared, not safe for threads, and keeps the first credentials it saw.
            return cls(name, boto3.session.Session().client("s3", config=config))

    def put(
        self,
        key: str,
        content: bytes,
        *,
        facts: Mapping[str, str],
        if_match: str | None = None,
        if_absent: bool = False,
    ) -> None:
        """Write a small object, on a condition if asked. Raises ConditionFailedError where it does not hold."""
        request: PutObjectRequestTypeDef = {
            "Bucket": self.name,
            "Key": key,
            "Body": content,
            "Metadata": facts,
        }
        if if_absent:
            request["IfNoneMatch"] = "*"
        elif if_match is not None:
            request["IfMatch"] = if_match
        with self._sorted("write", key):
            try:
                self._client.put_object(**request)
            except ClientError as error:
                if _code(error) in _CONDITION or (if_match is not None and _code(error) in _ABSENT):
                    raise ConditionFailedError(key) from error
                raise

    def upload(self, key: str, path: Path, digest: FileDigest, *, name: str, progress: Progress) -> None:
        """Write a file; the server compares its bytes with the digest."""
        checksum = base64.b64encode(bytes.fromhex(digest.sha256)).decode()
        with path.open("rb") as file, self._sorted("write", key):
            # boto3 wants a whole file object by its types, and reads, seeks and tells by its code.
            body = cast("IO[bytes]", _Heard(file, name, digest.size_bytes, progress))
            self._client.put_object(
                Bucket=self.name, Key=key, Body=body, ContentLength=digest.size_bytes, ChecksumSHA256=checksum
            )

    def get(self, key: str) -> Document:
        """Read a small object. Raises AbsentError where there is none."""
        with self._sorted("read", key):
            answer = self._client.get_object(Bucket=self.name, Key=key)
            return Document(content=answer["Body"].read(), etag=answer["ETag"], facts=answer["Metadata"])

    def stream(self, key: str, start: int) -> Iterator[bytes]:
        """Yield an object's bytes from an offset. Raises AbsentError where there is none."""
        with self._sorted("read", key):
            answer = self._client.get_object(Bucket=self.name, Key=key, Range=f"bytes={start}-")
            yield from answer["Body"].iter_chunks(CHUNK_BYTES)

    def size_bytes(self, key: str) -> int:
        """Return the size of an object. Raises AbsentError where there is none."""
        with self._sorted("look at", key):
            return int(self._client.head_object(Bucket=self.name, Key=key)["ContentLength"])

    def list(self, prefix: str) -> list[Stored]:
        """Return every object below a prefix."""
        with self._sorted("list", prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
            return [
                Stored(key=each["Key"], size_bytes=each["Size"], modified=each["LastModified"])
                for page in pages
                for each in page.get("Contents", ())
            ]

    def delete(self, key: str) -> None:
        """Remove an object; it is no error when there is none."""
        with self._sorted("remove", key):
            self._client.delete_object(Bucket=self.name, Key=key)

    def _sorted(self, verb: str, key: str) -> AbstractContextManager[None]:
        return _sorted_errors(f"{verb} s3://{self.name}/{key}")


class _Heard:
    """A file that reports how far it was read; boto3 may rewind it to sign it or to send it again."""

    def __init__(self, file: BinaryIO, name: str, size_bytes: int, progress: Progress) -> None:
        self._file, self._name, self._size_bytes, self._progress = file, name, size_bytes, progress

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        if chunk:
            self._progress(self._name, self._file.tell(), self._size_bytes)
        return chunk

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


@contextmanager
def _sorted_errors(doing: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code, status = _code(error), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _ABSENT:
            raise AbsentError(doing) from error
        if code in _BUSY or (status >= 500 and code not in _REMEDIES):
            raise TransientError(f"{code} on trying to {doing}") from error
        message = error.response.get("Error", {}).get("Message", "no message")
        remedy = _REMEDIES.get(code, "correct the credentials, their rights or the address")
        raise RepositoryError(f"expected to {doing}, received {code}: {message}; {remedy}") from error
    except (EndpointError, HTTPClientError, IncompleteReadError, HTTPError, OSError) as error:
        raise TransientError(f"{error} on trying to {doing}") from error
    except BotoCoreError as error:
        raise RepositoryError(
            f"expected to {doing}, received {error}; set AWS credentials, region and endpoint"
        ) from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))
