"""Keeps an eye on the models' configuration and on their folders while the server runs.

Both are off by default: a pod serves one version for life, and a new version is a new pod. Where they are on,
a mistake found while running is logged, shown in the metrics, and changes nothing that is served.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from serving.errors import ModelError, ServingError, SettingsError
from serving.metrics import Metrics
from serving.repository import ModelSource, Reconciler, read_sources
from serving.settings import ServingSettings

log = logging.getLogger(__name__)


class Watcher:
    """Loads the models once, then looks again at the intervals that are set."""

    def __init__(self, settings: ServingSettings, reconciler: Reconciler, metrics: Metrics) -> None:
        self._settings = settings
        self._reconciler = reconciler
        self._metrics = metrics
        self._applied: Sequence[ModelSource] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._changes: set[asyncio.Task[None]] = set()

    async def start(self, sources: Sequence[ModelSource]) -> None:
        """Load the models. Raises ModelError, SettingsError, unless somebody will look again."""
        config_seconds = (
            self._settings.model_config_file_poll_wait_seconds if self._settings.model_config_file else 0
        )
        folder_seconds = self._settings.file_system_poll_wait_seconds
        try:
            await self._reconciler.configure(sources)
            self._applied = sources
        except (ModelError, SettingsError) as error:
            if not folder_seconds and not config_seconds:
                raise
            log.error("%s; looking again", error)  # noqa: TRY400 - an operator's mistake is a sentence, not a trace
        for seconds, look in ((folder_seconds, self._reconciler.refresh), (config_seconds, self.reread)):
            if seconds:
                self._tasks.append(asyncio.create_task(_repeat(seconds, look)))

    async def reread(self) -> None:
        """Read the configuration file again, and serve what it says now."""
        try:
            sources = read_sources(self._settings)
            if sources != self._applied:
                log.info("the models' configuration has changed")
                self._applied = None  # until it holds, so that a failure is tried again
                await self._reconciler.configure(sources)
                self._applied = sources
        except (ModelError, SettingsError) as error:
            self._metrics.config_stale.set(1)
            log.error("%s; what is served stays", error)  # noqa: TRY400
        else:
            self._metrics.config_stale.set(0)

    async def replace(self, sources: Sequence[ModelSource]) -> None:
        """Serve these models from now on, until the configuration file changes.

        Raises ModelError or SettingsError; then what was served stays. Once begun it goes on to its end, also
        when nobody waits for that any more: half a change would be worse than either.
        """
        log.info("the models' configuration is replaced: %s", ", ".join(source.name for source in sources))
        change = asyncio.create_task(self._reconciler.configure(sources))
        self._changes.add(change)
        change.add_done_callback(self._changed)
        await asyncio.shield(change)

    async def close(self) -> None:
        """Look no more."""
        tasks = [*self._tasks, *self._changes]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _changed(self, change: asyncio.Task[None]) -> None:
        self._changes.discard(change)
        error = None if change.cancelled() else change.exception()
        if error is not None:
            log.error("the new configuration does not hold: %s; what is served stays", error)


async def _repeat(seconds: float, look: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await look()
        except ServingError:
            log.exception("looking after the models failed; looking again")
