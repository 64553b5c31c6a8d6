"""Versions that come, go, break and are being copied; no TensorFlow, real folders."""

import gc
import shutil
import weakref
from pathlib import Path

import pytest

from serving.backend import FakeBackend
from serving.errors import ModelError, NotFound, SettingsError
from serving.metrics import Metrics
from serving.repository import ModelSource, Policy, Reconciler, Repository, Servable, ServableLoader, State
from tests.serving.worlds import double_backend, write_versions


class World:
    """One model `m`; a version whose graph says `broken` does not load."""

    def __init__(self, folder: Path, **reconciler: bool) -> None:
        self.base_path = folder / "m"
        self.loads: list[int] = []
        self.withdrawn: list[Servable] = []
        self.repository = Repository(Metrics())
        loader = ServableLoader(load=self._load, tries_out=False)
        self.reconciler = Reconciler(
            self.repository, loader, on_withdrawn=self.withdrawn.append, **reconciler
        )

    def _load(self, folder: Path) -> FakeBackend:
        self.loads.append(int(folder.name))
        if (folder / "saved_model.pb").read_text() == "broken":
            raise ModelError(f"version {folder.name} is broken")
        return double_backend()

    def write(self, *versions: int, text: str = "") -> None:
        write_versions(self.base_path, *versions)
        for version in versions:
            (self.base_path / str(version) / "saved_model.pb").write_text(text)

    async def configure(self, policy: Policy | None = None, **labels: int) -> None:
        source = ModelSource(name="m", base_path=self.base_path, policy=policy or Policy(), labels=labels)
        await self.reconciler.configure([source])

    async def refresh(self, times: int = 2) -> None:
        for _ in range(times):
            await self.reconciler.refresh()

    @property
    def serving(self) -> list[int]:
        return sorted(self.repository.available("m"))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_the_newest_version_is_served(world: World) -> None:
    world.write(1, 2, 10)
    await world.configure()
    assert world.serving == [10]
    assert world.repository.resolve("m").version == 10
    assert world.repository.missing() == []


async def test_a_policy_decides_which_versions_are_served(world: World) -> None:
    world.write(1, 2, 3)
    await world.configure(Policy(specific=(1, 3)))
    assert world.serving == [1, 3]
    with pytest.raises(NotFound, match=r"Specific\(m, 2\)"):
        world.repository.resolve("m", 2)


async def test_a_specific_version_that_is_not_there_is_an_error(world: World) -> None:
    world.write(1)
    with pytest.raises(ModelError, match=r"expected versions \[1, 2\] of the model m"):
        await world.configure(Policy(specific=(1, 2)))
    assert world.serving == [1]
    assert world.repository.missing() == ["m is loading"]


async def test_no_version_at_all_is_an_error(world: World) -> None:
    world.base_path.mkdir()
    with pytest.raises(ModelError, match=r"expected a version of the model m at .*, found none"):
        await world.configure()
    assert world.repository.missing() == ["m is loading"]


async def test_a_new_version_replaces_the_old_one(world: World) -> None:
    world.write(1)
    await world.configure()
    world.write(2)
    await world.refresh()
    assert world.serving == [2]
    assert [servable.version for servable in world.withdrawn] == [1]
    assert [status.state for status in world.repository.statuses("m")] == [State.AVAILABLE, State.END]


async def test_a_version_that_is_being_copied_is_left_alone(world: World) -> None:
    world.write(1)
    await world.configure()
    world.write(2)
    for size in range(3):
        await world.refresh(1)
        assert world.serving == [1]
        (world.base_path / "2" / "variables").write_text("x" * (size + 1))
    await world.refresh(2)
    assert world.serving == [2]
    assert world.loads == [1, 2]


async def test_a_broken_version_leaves_the_old_one_serving(world: World) -> None:
    world.write(1)
    await world.configure()
    world.write(2, text="broken")
    await world.refresh()
    assert world.serving == [1]
    assert world.repository.missing() == []
    (newest, _) = world.repository.statuses("m")
    assert (newest.version, newest.state, newest.error) == (2, State.END, "version 2 is broken")


async def test_a_broken_version_is_tried_again_only_when_it_changed(world: World) -> None:
    world.write(1)
    await world.configure()
    world.write(2, text="broken")
    await world.refresh(5)
    assert world.loads == [1, 2]
    (world.base_path / "2" / "saved_model.pb").write_text("repaired")
    await world.refresh(5)
    assert world.serving == [2]
    assert world.loads == [1, 2, 2]


async def test_a_broken_first_version_is_an_error_that_says_why(world: World) -> None:
    world.write(1, text="broken")
    with pytest.raises(ModelError, match="version 1 is broken"):
        await world.configure()
    assert world.repository.statuses("m")[0].error == "version 1 is broken"


async def test_a_folder_that_turned_empty_withdraws_nothing(world: World) -> None:
    world.write(1)
    await world.configure()
    shutil.rmtree(world.base_path / "1")
    await world.refresh()
    assert world.serving == [1]
    shutil.rmtree(world.base_path)
    await world.refresh()
    assert world.serving == [1]


async def test_a_deleted_version_is_withdrawn_when_another_is_wanted(world: World) -> None:
    world.write(1, 2)
    await world.configure()
    shutil.rmtree(world.base_path / "2")
    await world.refresh()
    assert world.serving == [1]


async def test_labels_name_versions(world: World) -> None:
    world.write(1, 2)
    await world.configure(Policy(latest=0), stable=1, canary=2)
    assert world.repository.resolve("m", label="stable").version == 1
    assert world.repository.resolve("m", label="canary").version == 2
    await world.configure(Policy(latest=0), stable=2)
    assert world.repository.resolve("m", label="stable").version == 2


async def test_a_label_cannot_be_moved_to_a_version_that_is_not_available(world: World) -> None:
    world.write(1)
    await world.configure(stable=1)
    with pytest.raises(
        SettingsError, match="expected the label stable of m to name an available version, got 9"
    ):
        await world.configure(stable=9)
    assert world.repository.resolve("m", label="stable").version == 1


async def test_labels_may_be_ahead_where_that_is_allowed(tmp_path: Path) -> None:
    world = World(tmp_path, allows_labels_ahead=True)
    world.write(1)
    await world.configure(canary=2)
    with pytest.raises(NotFound, match=r"Specific\(m, 2\)"):
        world.repository.resolve("m", label="canary")
    world.write(2)
    await world.refresh()
    assert world.repository.resolve("m", label="canary").version == 2


async def test_a_model_that_is_no_longer_configured_is_gone(world: World) -> None:
    world.write(1)
    await world.configure()
    other = ModelSource(name="other", base_path=world.base_path)
    await world.reconciler.configure([other])
    assert world.repository.names == ["other"]
    with pytest.raises(NotFound, match=r"Latest\(m\)"):
        world.repository.resolve("m")


async def test_one_broken_model_leaves_the_others_served(world: World, tmp_path: Path) -> None:
    world.write(1)
    sources = [
        ModelSource(name="gone", base_path=tmp_path / "gone"),
        ModelSource(name="m", base_path=world.base_path),
    ]
    with pytest.raises(ModelError, match="expected a folder of model versions"):
        await world.reconciler.configure(sources)
    assert world.serving == [1]
    assert world.repository.missing() == ["gone is loading"]


async def test_a_withdrawn_version_lives_as_long_as_a_request_has_it(world: World) -> None:
    world.write(1)
    await world.configure()
    running = world.repository.resolve("m")
    session = weakref.ref(running.session)
    world.write(2)
    await world.refresh()
    world.withdrawn.clear()
    assert session() is not None
    del running
    gc.collect()
    assert session() is None
