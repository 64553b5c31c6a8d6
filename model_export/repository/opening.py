"""From an address to a repository: `s3://bucket/prefix`, or a folder."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from model_export.errors import RepositoryError
from model_export.repository.folder import FolderRepository
from model_export.repository.interface import ModelRepository, Progress, silent


def open_repository(address: str | Path, *, progress: Progress = silent) -> ModelRepository:
    """Open the repository of one model.

    `address` is a folder, or `s3://bucket/prefix` with credentials, region and endpoint as every AWS client finds them
    (`AWS_ENDPOINT_URL` for a server of your own). `s3://bucket/prefix?writers=one` gives up the protection against two publishers at
    one time, for servers without conditional writes.

    Raises RepositoryError for an address that is neither, or when boto3 is not installed.
    """
    if isinstance(address, Path) or "://" not in address:
        return FolderRepository(Path(address), progress=progress)
    parts = urlsplit(address)
    options = parse_qs(parts.query, keep_blank_values=True)
    writers = options.pop("writers", ["many"])
    if parts.scheme != "s3" or not parts.netloc or options or writers not in (["many"], ["one"]):
        raise RepositoryError(
            f"expected a folder or s3://bucket/prefix (with ?writers=one at most), received {address!r}; correct the address"
        )
    try:
        from model_export.repository.s3 import S3Repository
    except ImportError as error:
        raise RepositoryError(
            f"{address}: expected boto3 to speak S3, received {error}; install requirements/export.txt"
        ) from error
    return S3Repository.connect(parts.netloc, parts.path, single_writer=writers == ["one"], progress=progress)
