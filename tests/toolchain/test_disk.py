import shutil
from pathlib import Path

import pytest

from toolchain import disk
from toolchain.errors import MissingRequirement


def test_enough_room_is_enough(tmp_path: Path) -> None:
    disk.require_free(tmp_path / "not" / "there" / "yet", 1, purpose="building", variable="XDG_CACHE_HOME")


def test_too_little_room_is_said_before_anything_is_made(tmp_path: Path) -> None:
    too_much = shutil.disk_usage(tmp_path).total + 10**9
    with pytest.raises(
        MissingRequirement, match=r"building needs \d+ GB of free disk.*are free; make room.*XDG_CACHE_HOME"
    ):
        disk.require_free(tmp_path / "cache", too_much, purpose="building", variable="XDG_CACHE_HOME")
    assert not (tmp_path / "cache").exists()
