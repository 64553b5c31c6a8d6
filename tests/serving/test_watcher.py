from pathlib import Path

import pytest

from serving.errors import ModelError
from serving.metrics import Metrics
from serving.repository import Reconciler, Repository, ServableLoader, read_sources
from serving.settings import ServingSettings
from serving.watcher import Watcher
from tests.serving.worlds import double_backend, write_versions


class World:
    def __init__(self, folder: Path, **settings: int) -> None:
        self.folder = folder
        self.file = folder / "models.config"
        self.metrics = Metrics()
        self.repository = Repository(self.metrics)
        loader = ServableLoader(load=lambda _folder: double_backend(), tries_out=False)
        self.settings = ServingSettings(model_config_file=str(self.file), **settings)  # type: ignore[arg-type]
        self.watcher = Watcher(self.settings, Reconciler(self.repository, loader), self.metrics)

    def configure(self, *names: str) -> None:
        models = "".join(f'config {{ name: "{name}" base_path: "{self.folder / name}" }}' for name in names)
        self.file.write_text(f"model_config_list {{ {models} }}")

    async def start(self) -> None:
        await self.watcher.start(read_sources(self.settings))

    @property
    def is_stale(self) -> bool:
        return b"tfsp_config_stale 1.0" in self.metrics.page()


async def test_a_changed_configuration_changes_what_is_served(tmp_path: Path) -> None:
    world = World(tmp_path)
    for name in "ab":
        write_versions(tmp_path / name, 1)
    world.configure("a")
    await world.start()
    world.configure("b")
    await world.watcher.reread()
    assert world.repository.names == ["b"]
    assert not world.is_stale


@pytest.mark.parametrize(
    "text", ["nonsense", 'model_config_list { config { name: "c" base_path: "/nope" } }']
)
async def test_a_broken_configuration_is_shown_and_liveness_is_not_touched(tmp_path: Path, text: str) -> None:
    world = World(tmp_path)
    write_versions(tmp_path / "a", 1)
    world.configure("a")
    await world.start()
    good = world.file.read_text()
    world.file.write_text(text)
    await world.watcher.reread()
    assert world.is_stale
    assert world.repository.names == ["a"]
    assert world.repository.missing() == []
    world.file.write_text(good)
    await world.watcher.reread()
    assert world.repository.resolve("a").version == 1
    assert not world.is_stale


async def test_a_model_that_is_missing_at_the_start_is_an_error(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.configure("a")
    with pytest.raises(ModelError):
        await world.start()


async def test_a_model_that_is_missing_is_waited_for_when_somebody_looks(tmp_path: Path) -> None:
    world = World(tmp_path, file_system_poll_wait_seconds=3600)
    world.configure("a")
    await world.start()
    assert world.repository.missing() == ["a is loading"]
    await world.watcher.close()
