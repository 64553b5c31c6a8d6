import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from model_export.errors import RepositoryError
from model_export.version_folder import commit, replace_file, staged


def hidden(base_path: Path) -> list[str]:
    return [each.name for each in base_path.iterdir() if each.name.startswith(".")]


def hold_a_staged_folder(base_path: Path, ready: "multiprocessing.synchronize.Event") -> None:
    with staged(base_path) as folder:
        (folder / "half").write_text("made")
        ready.set()
        signal.pause()


def start_holding(base_path: Path) -> multiprocessing.context.SpawnProcess:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=hold_a_staged_folder, args=(base_path, ready))
    process.start()
    assert ready.wait(timeout=60)
    return process


def test_a_committed_version_is_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    with staged(tmp_path) as folder:
        (folder / "assets").mkdir()
        (folder / "assets" / "words.txt").write_text("cat")
        assert commit(folder, tmp_path / "1")

    assert (tmp_path / "1" / "assets" / "words.txt").read_text() == "cat"
    assert hidden(tmp_path) == []


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="half way"), staged(tmp_path) as folder:
        (folder / "half").write_text("made")
        message = "half way"
        raise RuntimeError(message)

    assert list(tmp_path.iterdir()) == []


def test_the_second_of_two_commits_of_one_version_is_told(tmp_path: Path) -> None:
    with staged(tmp_path) as first, staged(tmp_path) as second:
        (first / "who").write_text("first")
        (second / "who").write_text("second")

        assert commit(first, tmp_path / "1")
        assert not commit(second, tmp_path / "1")

    assert (tmp_path / "1" / "who").read_text() == "first"
    assert hidden(tmp_path) == []


def test_what_a_killed_export_left_is_removed_by_the_next(tmp_path: Path) -> None:
    process = start_holding(tmp_path)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    assert len(hidden(tmp_path)) == 1

    with staged(tmp_path) as folder:
        assert hidden(tmp_path) == [folder.name]


def test_what_a_living_export_holds_is_left_alone(tmp_path: Path) -> None:
    process = start_holding(tmp_path)
    try:
        theirs = hidden(tmp_path)
        with staged(tmp_path):
            assert set(theirs) < set(hidden(tmp_path))
        assert hidden(tmp_path) == theirs
    finally:
        process.kill()
        process.join()


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(RepositoryError, match="expected to write into"), staged(tmp_path / "file" / "models"):
        pass


def test_a_replaced_file_leaves_no_scratch_file(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("old")

    replace_file(tmp_path / "manifest.json", "new")

    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {"manifest.json": "new"}
