"""The models of this server, the state of each of their versions, and which one a request means."""

from serving.errors import InvalidRequest, NotFound
from serving.metrics import Metrics
from serving.repository.servable import Servable
from serving.repository.sources import ModelSource
from serving.repository.states import State, VersionStatus


class Repository:
    """What is known and what is loaded. Lives on the event loop; `Reconciler` changes it."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._statuses: dict[str, dict[int, VersionStatus]] = {}
        self._servables: dict[str, dict[int, Servable]] = {}
        self._labels: dict[str, dict[str, int]] = {}
        self._unsettled: set[str] = set()
        self.generation = 0
        """Changes whenever a name, version or label may come to mean another servable."""

    @property
    def names(self) -> list[str]:
        """Every configured model, loaded or not."""
        return list(self._statuses)

    def resolve(self, name: str, version: int | None = None, label: str | None = None) -> Servable:
        """The loaded version that a request means: the named one, or the newest.

        Raises NotFound in TensorFlow Serving's words, InvalidRequest for a missing name or unknown label.
        """
        if not name:
            raise InvalidRequest("ModelSpec has no name specified.")
        if label:
            version = self.version_of(name, label)
        available = self._servables.get(name, {})
        if version is None:
            if not available:
                raise NotFound(f"Servable not found for request: Latest({name})")
            version = max(available)
        if version not in available:
            raise NotFound(f"Servable not found for request: Specific({name}, {version})")
        return available[version]

    def version_of(self, name: str, label: str) -> int:
        """The version that a label means. Raises InvalidRequest for one that nobody configured."""
        version = self._labels.get(name, {}).get(label)
        if version is None:
            raise InvalidRequest(f"Unrecognized servable version label: {label}")
        return version

    def statuses(self, name: str, version: int | None = None) -> list[VersionStatus]:
        """Where the versions of a model stand, newest first. Raises NotFound when there is no such."""
        known = self.all_statuses(name)
        if version is not None:
            found = [status for status in known if status.version == version]
            if not found:
                raise NotFound(f"Could not find version {version} of model {name}")
            return found
        if not known:
            raise NotFound(f"Could not find any versions of model {name}")
        return known

    def all_statuses(self, name: str) -> list[VersionStatus]:
        """Where the versions of a model stand, newest first; none for a model without any."""
        known = self._statuses.get(name, {})
        return [known[number] for number in sorted(known, reverse=True)]

    def available(self, name: str) -> dict[int, Servable]:
        """The versions of a model that answer."""
        return dict(self._servables.get(name, {}))

    def missing(self) -> list[str]:
        """What keeps the server from being ready; empty when nothing does."""
        if not self._statuses:
            return ["no model is configured"]
        return [
            f"{name} is loading" if name in self._unsettled else f"{name} has no available version"
            for name in self._statuses
            if name in self._unsettled or not self._servables.get(name)
        ]

    # -- the reconciler calls these

    def configure(self, source: ModelSource) -> None:
        """From now on the model is known; it is not ready before it was settled once."""
        if source.name not in self._statuses:
            self._statuses[source.name] = {}
            self._unsettled.add(source.name)

    def settle(self, name: str) -> None:
        """Everything that was wanted of a new model is available."""
        self._unsettled.discard(name)

    def note(self, name: str, status: VersionStatus) -> None:
        """A version has come to another state."""
        self._statuses.setdefault(name, {})[status.version] = status
        self._metrics.version_state.labels(name, str(status.version)).set(status.state)

    def publish(self, servable: Servable) -> None:
        """A version answers from now on."""
        self.generation += 1
        self._servables.setdefault(servable.name, {})[servable.version] = servable
        self.note(servable.name, VersionStatus(version=servable.version, state=State.AVAILABLE))

    def withdraw(self, name: str, version: int) -> Servable:
        """A version answers no new request from now on; those that have it keep it."""
        self.generation += 1
        self.note(name, VersionStatus(version=version, state=State.END))
        return self._servables[name].pop(version)

    def label(self, name: str, labels: dict[str, int]) -> None:
        """The labels of a model from now on."""
        self.generation += 1
        self._labels[name] = labels

    def remove(self, name: str) -> None:
        """The model is known no longer; its versions were withdrawn."""
        self.generation += 1
        for version in self._statuses.pop(name, {}):
            self._metrics.version_state.remove(name, str(version))
        for known in (self._servables, self._labels):
            known.pop(name, None)
        self._unsettled.discard(name)
