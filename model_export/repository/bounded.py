"""A file that refuses to be read too far, or too much at once.

Archive libraries trust sizes in headers: a tar's extended header of a claimed gigabyte is read into memory in one piece, and a gzip
of zeros unpacks to a thousand times its size. Both meet their limit here, below the library.
"""

from __future__ import annotations

from typing import IO, Final

from model_export.errors import RepositoryError

MAX_READ_BYTES: Final = 2 << 20
"""Content is copied in chunks of 1 MiB; a longer read is a header that somebody made long."""


class BoundedReader:
    """Reads a file up to a limit."""

    def __init__(self, file: IO[bytes], *, where: str, limit_bytes: int) -> None:
        self._file = file
        self._where = where
        self._limit_bytes = limit_bytes

    def read(self, size: int = -1) -> bytes:
        """Read some bytes. Raises RepositoryError beyond the limits."""
        if not 0 <= size <= MAX_READ_BYTES:
            raise RepositoryError(
                f"{self._where}: expected headers of ordinary size, received one of {size} bytes; do not use it"
            )
        self._refuse(self._file.tell() + size)
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to an offset from the start. Raises RepositoryError beyond the limit."""
        if whence == 0:
            self._refuse(offset)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the offset."""
        return self._file.tell()

    def _refuse(self, offset: int) -> None:
        # One block more than the limit: tarfile looks for the next header before it knows that there is none.
        if offset > self._limit_bytes + MAX_READ_BYTES:
            raise RepositoryError(
                f"{self._where}: expected at most {self._limit_bytes} bytes when unpacked, received more; do not use it"
            )
