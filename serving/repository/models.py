"""The models of this server and the state of each of their versions."""

import asyncio
import dataclasses
import logging
import time
from pathlib import Path

from serving.backend import Loader, Session
from serving.backend.graphs import is_deterministic
from serving.errors import InvalidRequest, ModelError, NotFound
from serving.metrics import Metrics
from serving.repository.manifest import read_manifest
from serving.repository.servable import Servable
from serving.repository.states import State, VersionStatus
from serving.repository.trial import try_out
from serving.repository.versions import find_versions

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelSource:
    """Where a model comes from."""

    name: str
    base_path: Path


class Repository:
    """Loads models and answers which version a request means. Lives on the event loop; loading is in threads."""

    def __init__(
        self,
        load: Loader,
        metrics: Metrics,
        *,
        load_retries: int = 0,
        retry_seconds: float = 1.0,
        tries_out: bool = True,
    ) -> None:
        self._load = load
        self._metrics = metrics
        self._load_retries = load_retries
        self._retry_seconds = retry_seconds
        self._tries_out = tries_out
        self._statuses: dict[str, dict[int, VersionStatus]] = {}
        self._servables: dict[str, dict[int, Servable]] = {}

    @property
    def names(self) -> list[str]:
        """Every configured model, loaded or not."""
        return list(self._statuses)

    async def add(self, source: ModelSource) -> None:
        """Load the newest version of a model. Raises ModelError when there is none or it does not load."""
        self._statuses.setdefault(source.name, {})
        versions = find_versions(source.base_path)
        if not versions:
            raise ModelError(
                f"expected a version of the model {source.name} at {source.base_path}/<number>/saved_model.pb, found "
                "none; export one first"
            )
        version = max(versions)
        await self._add_version(source.name, version, versions[version])

    def resolve(self, name: str, version: int | None = None, label: str | None = None) -> Servable:
        """The loaded version that a request means: the named one, or the newest.

        Raises NotFound in TensorFlow Serving's words, InvalidRequest for a missing name or unknown label.
        """
        if not name:
            raise InvalidRequest("ModelSpec has no name specified.")
        if label:
            raise InvalidRequest(f"Unrecognized servable version label: {label}")
        available = self._servables.get(name, {})
        if version is None:
            if not available:
                raise NotFound(f"Servable not found for request: Latest({name})")
            version = max(available)
        if version not in available:
            raise NotFound(f"Servable not found for request: Specific({name}, {version})")
        return available[version]

    def statuses(self, name: str, version: int | None = None) -> list[VersionStatus]:
        """Where the versions of a model stand, newest first. Raises NotFound when there is no such."""
        known = self._statuses.get(name, {})
        if version is not None:
            if version not in known:
                raise NotFound(f"Could not find version {version} of model {name}")
            return [known[version]]
        if not known:
            raise NotFound(f"Could not find any versions of model {name}")
        return self.all_statuses(name)

    def all_statuses(self, name: str) -> list[VersionStatus]:
        """Where the versions of a model stand, newest first; none for a model without any."""
        known = self._statuses.get(name, {})
        return [known[number] for number in sorted(known, reverse=True)]

    def missing(self) -> list[str]:
        """What keeps the server from being ready: models without an available version. Empty when it is ready."""
        if not self._statuses:
            return ["no model is configured"]
        return [
            f"{name} has no available version" for name in self._statuses if not self._servables.get(name)
        ]

    def close(self) -> None:
        """Unload everything; nothing may be running."""
        for name, servables in self._servables.items():
            for version, servable in list(servables.items()):
                servable.session.close()
                self._set(name, VersionStatus(version=version, state=State.END))
            servables.clear()

    async def _add_version(self, name: str, version: int, folder: Path) -> None:
        self._set(name, VersionStatus(version=version, state=State.LOADING))
        started = time.perf_counter()
        log.info("loading model %s version %d from %s", name, version, folder)
        try:
            manifest = read_manifest(folder)
            session = await self._load_with_retries(folder)
            repeats = (
                await asyncio.to_thread(try_out, session)
                if self._tries_out
                else is_deterministic(session.meta_graph)
            )
        except ModelError as error:
            self._set(name, VersionStatus(version=version, state=State.END, error=str(error)))
            raise
        servable = Servable(
            name=name, version=version, session=session, manifest=manifest, is_deterministic=repeats
        )
        self._servables.setdefault(name, {})[version] = servable
        self._set(name, VersionStatus(version=version, state=State.AVAILABLE))
        log.info(
            "model %s version %d is available after %.2f s", name, version, time.perf_counter() - started
        )

    async def _load_with_retries(self, folder: Path) -> Session:
        for attempt in range(self._load_retries):
            try:
                return await asyncio.to_thread(self._load, folder)
            except ModelError as error:
                log.warning("attempt %d of %d to load failed: %s", attempt + 1, self._load_retries + 1, error)
                await asyncio.sleep(self._retry_seconds)
        return await asyncio.to_thread(self._load, folder)

    def _set(self, name: str, status: VersionStatus) -> None:
        self._statuses.setdefault(name, {})[status.version] = status
        self._metrics.version_state.labels(name, str(status.version)).set(status.state)
