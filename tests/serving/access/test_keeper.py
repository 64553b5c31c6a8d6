import logging
import os
from pathlib import Path

import pytest

from serving.access import Keeper
from serving.errors import SettingsError
from serving.metrics import Metrics
from tests.serving.access.worlds import identity, write_access


def names(keeper: Keeper) -> list[str]:
    return [found.name for found in keeper.policy.identities]


def test_a_changed_file_holds_from_the_next_look_on(tmp_path: Path) -> None:
    path = write_access(tmp_path / "access.json", identity("a", "1"))
    keeper = Keeper(str(path), Metrics())
    write_access(path, identity("a", "1"), identity("b", "2"))
    assert names(keeper) == ["a"]
    keeper.refresh()
    assert names(keeper) == ["a", "b"]


def test_a_secret_that_is_replaced_through_a_link_is_noticed(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_access(tmp_path / name, identity(name, name))
        os.utime(tmp_path / name, (1, 1))  # same size and time: only the file is another
    link = tmp_path / "access.json"
    link.symlink_to(tmp_path / "a")
    keeper = Keeper(str(link), Metrics())
    link.unlink()
    link.symlink_to(tmp_path / "b")
    keeper.refresh()
    assert names(keeper) == ["b"]


@pytest.mark.parametrize("damage", ["{", None], ids=["no JSON", "gone"])
def test_a_file_that_turned_bad_changes_nothing_but_the_metric(
    tmp_path: Path, damage: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_access(tmp_path / "access.json", identity("a", "1"))
    metrics = Metrics()
    keeper = Keeper(str(path), metrics)
    path.unlink() if damage is None else path.write_text(damage)
    with caplog.at_level(logging.ERROR):
        keeper.refresh()
    assert names(keeper) == ["a"]
    assert b"tfsp_access_file_stale 1.0" in metrics.page()
    assert "what was allowed before stays so" in caplog.text
    write_access(path, identity("b", "2"))
    keeper.refresh()
    assert names(keeper) == ["b"]
    assert b"tfsp_access_file_stale 0.0" in metrics.page()


def test_a_server_does_not_start_with_a_wrong_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="expected an access file at"):
        Keeper(str(tmp_path / "nope"), Metrics())
