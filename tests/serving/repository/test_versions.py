from pathlib import Path

import pytest

from serving.errors import ModelError
from serving.repository.versions import find_versions
from tests.serving.worlds import write_versions


def test_versions_are_found_in_numerical_order(tmp_path: Path) -> None:
    write_versions(tmp_path, 10, 9, 100)
    assert list(find_versions(tmp_path)) == [9, 10, 100]


@pytest.mark.parametrize("name", ["1.tmp", "-1", "1_0", "x", "", "٣", " 1"])
def test_a_folder_of_another_name_is_no_version(tmp_path: Path, name: str) -> None:
    write_versions(tmp_path, 1)
    folder = tmp_path / f"{name}"
    folder.mkdir(exist_ok=True)
    (folder / "saved_model.pb").touch()
    assert list(find_versions(tmp_path)) == [1]


def test_a_version_without_its_graph_is_not_there_yet(tmp_path: Path) -> None:
    write_versions(tmp_path, 1)
    (tmp_path / "2" / "variables").mkdir(parents=True)
    assert list(find_versions(tmp_path)) == [1]


def test_a_missing_base_path_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"expected a folder of model versions at .*/nope, got: No such file"
    ):
        find_versions(tmp_path / "nope")
