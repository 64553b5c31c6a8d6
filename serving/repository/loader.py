"""Makes a servable of a version folder: manifest, session, warm-up, trial. Runs in a thread; blocks."""

import ctypes
import dataclasses
import logging
import time
from collections.abc import Callable
from pathlib import Path

from serving.backend import Loader, Session
from serving.backend.graphs import is_deterministic
from serving.errors import ModelError, ServingError
from serving.manifest import read_manifest
from serving.repository.servable import Servable
from serving.repository.trial import try_out
from serving.repository.vouching import Vouch

log = logging.getLogger(__name__)

WarmUp = Callable[[Servable, Path], int]
"""Replays what the servable brought along for the purpose; how many requests that were."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServableLoader:
    """How versions are loaded by one server."""

    load: Loader
    warm_up: WarmUp | None = None
    tries_out: bool = True
    retries: int = 0
    retry_seconds: float = 1.0
    keeps_inputs: bool = False
    takes_other_shapes: bool = True
    vouch: Vouch | None = None
    """Refuses what nobody trusted signed, before TensorFlow reads a byte of it."""

    def __call__(self, name: str, version: int, folder: Path) -> Servable:
        """Raises ModelError when the version cannot be loaded or fails its own warm-up."""
        started = time.perf_counter()
        if self.vouch is not None:
            self.vouch(name, version, folder)
        manifest = read_manifest(folder)
        session = self._load_with_retries(folder)
        try:
            repeats = try_out(session) if self.tries_out else is_deterministic(session.meta_graph)
            servable = Servable(
                name=name,
                version=version,
                session=session,
                manifest=manifest,
                is_deterministic=repeats,
                keeps_inputs=self.keeps_inputs,
                takes_other_shapes=self.takes_other_shapes,
            )
            replayed = self.warm_up(servable, folder) if self.warm_up is not None else 0
        except ServingError as error:
            session.close()
            raise ModelError(f"the warm-up of {name} version {version} failed: {error}") from error
        trim_memory()
        seconds = time.perf_counter() - started
        log.info(
            "loaded model %s version %d in %.2f s, %d warm-up requests", name, version, seconds, replayed
        )
        return servable

    def _load_with_retries(self, folder: Path) -> Session:
        for attempt in range(self.retries):
            try:
                return self.load(folder)
            except ModelError as error:
                log.warning("attempt %d of %d to load failed: %s", attempt + 1, self.retries + 1, error)
                time.sleep(self.retry_seconds)
        return self.load(folder)


def trim_memory() -> None:
    """Give freed memory back to the system: loading a frozen model leaves up to half of what it used behind."""
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):
        log.debug("this C library cannot give memory back")
