"""Any history of publishing, labelling, collecting and fetching ends where a simple model of it says."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from model_export.errors import RepositoryError, VersionExistsError
from model_export.repository import open_repository
from tests.model_export.repository.version_folders import contents, make_version

VERSIONS = st.integers(0, 6)
LABELS = st.sampled_from(["stable", "canary", "old"])


class Histories(RuleBasedStateMachine):
    """A repository in a folder beside a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.scratch = Path(tempfile.mkdtemp())
        self.repository = open_repository(self.scratch / "repository")
        self.versions: dict[int, dict[str, bytes]] = {}
        self.labels: dict[str, int] = {}

    @rule(version=VERSIONS, content=st.sampled_from([b"one", b"two"]))
    def publish(self, version: int, content: bytes) -> None:
        made = make_version(self.scratch, version, files={"saved_model.pb": content})
        files = contents(made)
        if version in self.versions:
            with pytest.raises(VersionExistsError) as caught:
                self.repository.publish(made)
            assert caught.value.same_content == (files == self.versions[version])
        elif version < max(self.versions, default=-1):
            with pytest.raises(RepositoryError, match="versions rise"):
                self.repository.publish(made)
        else:
            self.repository.publish(made)
            self.versions[version] = files

    @rule(changes=st.dictionaries(LABELS, st.none() | VERSIONS, min_size=1))
    def label(self, changes: dict[str, int | None]) -> None:
        if {version for version in changes.values() if version is not None} <= self.versions.keys():
            self.repository.set_labels(changes)
            merged = {**self.labels, **changes}
            self.labels = {label: version for label, version in merged.items() if version is not None}
        else:
            with pytest.raises(RepositoryError, match="a published version"):
                self.repository.set_labels(changes)

    @rule(keep=st.integers(1, 3))
    def collect(self, keep: int) -> None:
        kept = {*sorted(self.versions)[-keep:], *self.labels.values()}
        assert set(self.repository.gc(keep=keep)) == self.versions.keys() - kept
        self.versions = {version: files for version, files in self.versions.items() if version in kept}

    @rule(reference=VERSIONS | LABELS | st.just("latest"))
    def fetch(self, reference: int | str) -> None:
        version = reference if isinstance(reference, int) else self.labels.get(reference)
        if reference == "latest" and self.versions:
            version = max(self.versions)
        pod = Path(tempfile.mkdtemp(dir=self.scratch))
        if version in self.versions:
            fetched = contents(self.repository.fetch(reference, pod))
            assert self.versions[version].items() <= fetched.items()
        else:
            with pytest.raises(RepositoryError, match="expected one of"):
                self.repository.fetch(reference, pod)

    @invariant()
    def agrees(self) -> None:
        assert self.repository.versions() == tuple(sorted(self.versions))
        assert self.repository.labels() == self.labels

    def teardown(self) -> None:
        shutil.rmtree(self.scratch)


Histories.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
test_any_history_ends_where_the_model_says = Histories.TestCase
