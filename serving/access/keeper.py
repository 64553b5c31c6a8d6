"""Keeps the access file's latest good reading, and looks now and then whether it has changed.

A file that cannot be read or is wrong changes nothing: what was allowed before stays allowed, what was not
stays refused, the log says why, and the metric `tfsp_access_file_stale` is 1. A Secret that Kubernetes mounts
is replaced through a symbolic link, so the file is looked at by what the link points to.
"""

import asyncio
import contextlib
import logging
from pathlib import Path

from serving.access.policy import Policy, read_policy
from serving.errors import SettingsError
from serving.metrics import Metrics

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
"""One `stat` a second; a token that was withdrawn is refused from then on."""

_Stamp = tuple[int, int, int]


class Keeper:
    """The policy that holds now."""

    def __init__(self, path: str, metrics: Metrics) -> None:
        """Raises SettingsError when the file is wrong: a server starts with a good one or not at all."""
        self._path = Path(path)
        self._metrics = metrics
        self._stamp = self._look()
        self.policy = self._read()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look again every second, until `close`."""
        self._task = asyncio.create_task(self._repeat())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def refresh(self) -> None:
        """Take the file as it is now, if it has changed and is good."""
        try:
            stamp = self._look()
            if stamp == self._stamp:
                return
            self.policy = self._read()
        except SettingsError as error:
            self._metrics.access_file_stale.set(1)
            log.error("%s; what was allowed before stays so", error)  # noqa: TRY400 - a sentence, not a trace
        else:
            self._stamp = stamp
            self._metrics.access_file_stale.set(0)
            log.info("the access file has changed: %d identities", len(self.policy.identities))

    def _look(self) -> _Stamp:
        try:
            found = self._path.stat()
        except OSError as error:
            raise SettingsError(f"expected an access file at {self._path}, got: {error.strerror}") from error
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _read(self) -> Policy:
        try:
            text = self._path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"expected an access file that can be read at {self._path}, got: {type(error).__name__}"
            ) from error
        return read_policy(text, source=str(self._path))

    async def _repeat(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            self.refresh()
