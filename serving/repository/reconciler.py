"""Brings what is loaded to what is wanted, without ever leaving a model unanswered on the way.

A new version is loaded and warm before an old one is withdrawn, and when it fails the old one stays. A folder
that turned empty withdraws nothing: a hiccup of a mount must not end a service. A version that appears while
the server runs is loaded only when its files looked the same twice in a row, because it may still be being
copied; one that failed is tried again when its files have changed.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from serving.errors import ModelError, SettingsError
from serving.repository.loader import ServableLoader
from serving.repository.models import Repository
from serving.repository.servable import Servable
from serving.repository.sources import ModelSource
from serving.repository.states import State, VersionStatus
from serving.repository.versions import Fingerprint, find_versions, fingerprint

log = logging.getLogger(__name__)


class Reconciler:
    """Loads and unloads the versions of a repository, one at a time."""

    def __init__(
        self,
        repository: Repository,
        load: ServableLoader,
        *,
        on_withdrawn: Callable[[Servable], None] = lambda _servable: None,
        allows_labels_ahead: bool = False,
    ) -> None:
        self._repository = repository
        self._load = load
        self._on_withdrawn = on_withdrawn
        self._allows_labels_ahead = allows_labels_ahead
        self._sources: dict[str, ModelSource] = {}
        self._seen: dict[Path, Fingerprint] = {}
        self._failed: dict[Path, Fingerprint] = {}
        self._turn = asyncio.Lock()

    async def configure(self, sources: Sequence[ModelSource]) -> None:
        """Serve these models and no others.

        Raises ModelError when a model has no version that loads, SettingsError for a label without its version.
        The first time, what could be loaded is served all the same; later, what was served stays as it was.
        """
        async with self._turn:
            before, self._sources = self._sources, {source.name: source for source in sources}
            for source in sources:
                self._repository.configure(source)
            problems = [await self._reconcile(source, is_first=True) for source in sources]
            problem = next((problem for problem in problems if problem is not None), None)
            if problem is not None and before:
                before, self._sources = self._sources, before
            for name in before.keys() - self._sources.keys():
                self._remove(name)
        if problem is not None:
            raise problem

    async def refresh(self) -> None:
        """Look at the disk again; what is wrong there is logged, and what is served stays."""
        async with self._turn:
            for source in self._sources.values():
                problem = await self._reconcile(source, is_first=False)
                if problem is not None:
                    log.error("%s", problem)

    def close(self) -> None:
        """Withdraw and close everything; nothing may be running."""
        for name in self._sources:
            for version in self._repository.available(name):
                servable = self._repository.withdraw(name, version)
                servable.session.close()

    async def _reconcile(self, source: ModelSource, *, is_first: bool) -> ModelError | SettingsError | None:
        try:
            wanted = source.policy.choose(find_versions(source.base_path))
        except ModelError as error:
            return error
        serving = self._repository.available(source.name)
        if not wanted:
            return None if serving and not is_first else _nothing_wanted(source)
        problem: ModelError | SettingsError | None = None
        for version, folder in wanted.items():
            if version not in serving and (is_first or self._is_quiet(folder)):
                problem = await self._add(source.name, version, folder) or problem
        if set(source.policy.specific) - set(wanted):
            problem = problem or _nothing_wanted(source)
        if problem is None and set(wanted) <= set(self._repository.available(source.name)):
            self._withdraw_except(source.name, set(wanted))
            self._repository.settle(source.name)
        return problem or self._set_labels(source)

    async def _add(self, name: str, version: int, folder: Path) -> ModelError | None:
        looks = await asyncio.to_thread(fingerprint, folder)
        if self._failed.get(folder) == looks:
            return None  # said once; nothing has changed since
        self._repository.note(name, VersionStatus(version=version, state=State.LOADING))
        log.info("loading model %s version %d from %s", name, version, folder)
        try:
            servable = await asyncio.to_thread(self._load, name, version, folder)
        except ModelError as error:
            self._failed[folder] = looks
            self._repository.note(name, VersionStatus(version=version, state=State.END, error=str(error)))
            return error
        self._failed.pop(folder, None)
        self._repository.publish(servable)
        return None

    def _is_quiet(self, folder: Path) -> bool:
        looks = fingerprint(folder)
        is_quiet = self._seen.get(folder) == looks
        self._seen[folder] = looks
        return is_quiet

    def _withdraw_except(self, name: str, wanted: set[int]) -> None:
        for version in self._repository.available(name):
            if version not in wanted:
                log.info("withdrawing model %s version %d", name, version)
                # Requests that have it keep it; the session closes itself when the last of them lets go.
                self._on_withdrawn(self._repository.withdraw(name, version))

    def _set_labels(self, source: ModelSource) -> SettingsError | None:
        available = self._repository.available(source.name)
        ahead = {label: version for label, version in source.labels.items() if version not in available}
        if ahead and not self._allows_labels_ahead:
            label, version = next(iter(ahead.items()))
            return SettingsError(
                f"expected the label {label} of {source.name} to name an available version, got {version}; load it "
                "first, or set --allow_version_labels_for_unavailable_models"
            )
        self._repository.label(source.name, dict(source.labels))
        return None

    def _remove(self, name: str) -> None:
        self._withdraw_except(name, set())
        self._repository.remove(name)


def _nothing_wanted(source: ModelSource) -> ModelError:
    wanted = f"versions {list(source.policy.specific)}" if source.policy.specific else "a version"
    return ModelError(
        f"expected {wanted} of the model {source.name} at {source.base_path}/<number>/saved_model.pb, found none; "
        "export one first"
    )
