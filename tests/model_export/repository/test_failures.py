"""What happens when the process, the disk or the server fails in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from model_export.artifact import MANIFEST_NAME
from model_export.errors import DigestMismatchError, RepositoryError
from model_export.repository import open_repository
from tests.model_export.repository.conftest import Opener
from tests.model_export.repository.s3_server import once
from tests.model_export.repository.version_folders import BIG, contents, make_version

DYING = """
import os, signal, sys
from pathlib import Path
from model_export.repository import open_repository

left = int(sys.argv[3])

def die_at(path, done_bytes, total_bytes):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

repository = open_repository(sys.argv[1], progress=die_at)
repository.publish(Path(sys.argv[2])) if sys.argv[4] == "publish" else repository.fetch(1, Path(sys.argv[2]))
"""


def _killed(address: str, folder: Path, *, at: int, doing: str) -> None:
    words = [sys.executable, "-c", DYING, address, str(folder), str(at), doing]
    assert (
        subprocess.run(words, check=False, env=os.environ | {"PYTHONPATH": str(Path.cwd())}).returncode
        == -signal.SIGKILL
    )


@pytest.mark.parametrize("at", [1, 3, 6])
def test_a_publisher_killed_at_any_moment_leaves_nothing_to_see(
    address: str, opened: Opener, tmp_path: Path, at: int
) -> None:
    made = make_version(tmp_path, 1, files=BIG)
    _killed(address, made, at=at, doing="publish")
    assert opened().versions() == ()
    opened().publish(made)
    assert contents(made).items() <= contents(opened().fetch("latest", tmp_path / "pod")).items()


DYING_SOMEWHERE = """
import signal, sys
from pathlib import Path
from model_export.repository import open_repository

repository = open_repository(sys.argv[1])
repository.versions()  # every import is done and every connection made before the clock starts
signal.setitimer(signal.ITIMER_REAL, float(sys.argv[3]))  # nobody handles SIGALRM: the kernel ends the process
repository.publish(Path(sys.argv[2]))
repository.set_labels({"stable": 1})
repository.gc(keep=1)
"""


@pytest.mark.parametrize("seconds", [0.001, 0.003, 0.006, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.2])
def test_whatever_the_moment_of_death_everything_seen_is_whole(
    address: str, opened: Opener, tmp_path: Path, seconds: float
) -> None:
    made = make_version(tmp_path, 1, files=BIG)
    words = [sys.executable, "-c", DYING_SOMEWHERE, address, str(made), str(seconds)]
    code = subprocess.run(words, check=False, env=os.environ | {"PYTHONPATH": str(Path.cwd())}).returncode
    assert code in {0, -signal.SIGALRM}
    if opened().versions() == ():
        assert opened().labels() == {}
        opened().publish(made)
    opened().set_labels({"stable": 1})
    assert contents(made).items() <= contents(opened().fetch("stable", tmp_path / "pod")).items()
    opened().gc(keep=1)
    assert opened().versions() == (1,)


@pytest.mark.parametrize("at", [1, 3, 6])
def test_a_fetch_killed_at_any_moment_is_taken_up_again(
    address: str, opened: Opener, tmp_path: Path, at: int
) -> None:
    made = make_version(tmp_path, 1, files=BIG)
    opened().publish(made)
    _killed(address, tmp_path / "pod", at=at, doing="fetch")
    assert not (tmp_path / "pod" / "1").exists()
    fetched = opened().fetch(1, tmp_path / "pod")
    assert contents(made).items() <= contents(fetched).items()
    assert [path.name for path in (tmp_path / "pod").iterdir()] == ["1"]


def test_a_collection_removes_what_a_dead_publisher_left_in_a_folder(tmp_path: Path) -> None:
    base_path, made = tmp_path / "repository", make_version(tmp_path, 1, files=BIG)
    _killed(str(base_path), made, at=3, doing="publish")
    assert [path for path in base_path.iterdir() if path.name.startswith(".incoming-")]
    repository = open_repository(base_path)
    repository.publish(made)
    repository.gc(keep=1)
    assert sorted(path.name for path in base_path.iterdir()) == [".lock", "1"]


def test_a_collection_leaves_a_living_publisher_alone(tmp_path: Path) -> None:
    base_path = tmp_path / "repository"
    collect = once(lambda: open_repository(base_path).gc(keep=1))
    repository = open_repository(base_path, progress=lambda *_: collect())
    repository.publish(make_version(tmp_path, 1, files=BIG))
    assert repository.versions() == (1,)


def test_a_version_in_a_folder_appears_by_its_name_alone(tmp_path: Path) -> None:
    base_path = tmp_path / "repository"
    written: list[int] = []

    def watch(path: str, _done_bytes: int, _total_bytes: int) -> None:
        written.extend(each.stat().st_ino for each in base_path.glob(f".incoming-*/.fetching-*/{path}"))

    open_repository(base_path, progress=watch).publish(
        make_version(tmp_path, 1, files={"saved_model.pb": b"a graph"})
    )
    assert written == [(base_path / "1" / "saved_model.pb").stat().st_ino]


def test_a_stray_file_among_those_that_arrive_is_noticed(tmp_path: Path) -> None:
    open_repository(tmp_path / "repository").publish(make_version(tmp_path, 1))

    def stray(_path: str, _done_bytes: int, _total_bytes: int) -> None:
        (arriving,) = (tmp_path / "pod").glob(".fetching-*")
        (arriving / "stray").write_text("not of this version")

    with pytest.raises(RepositoryError, match="expected only files that the manifest lists, received stray"):
        open_repository(tmp_path / "repository", progress=stray).fetch(1, tmp_path / "pod")
    assert not (tmp_path / "pod" / "1").exists()


def test_two_fetches_to_one_place_do_not_mix(tmp_path: Path) -> None:
    repository = open_repository(tmp_path / "repository")
    repository.publish(make_version(tmp_path, 1))
    refused: list[RepositoryError] = []

    def second() -> None:
        with pytest.raises(RepositoryError, match="received one at work") as caught:
            repository.fetch(1, tmp_path / "pod")
        refused.append(caught.value)

    meanwhile = once(second)
    open_repository(tmp_path / "repository", progress=lambda *_: meanwhile()).fetch(1, tmp_path / "pod")
    assert len(refused) == 1


def test_a_folder_without_a_manifest_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "repository" / "1").mkdir(parents=True)
    (tmp_path / "repository" / "1" / "saved_model.pb").write_bytes(b"somebody's")
    repository = open_repository(tmp_path / "repository")
    assert repository.versions() == ()
    with pytest.raises(RepositoryError, match=f"received one without a {MANIFEST_NAME}"):
        repository.publish(make_version(tmp_path, 1))
    assert (tmp_path / "repository" / "1" / "saved_model.pb").read_bytes() == b"somebody's"


def test_a_repository_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(RepositoryError, match="expected to take a version in, received"):
        open_repository(tmp_path / "file" / "models").publish(make_version(tmp_path, 1))


def _stored(address: str, server_folder: Path) -> list[Path]:
    root = server_folder / address.removeprefix("s3://") if address.startswith("s3://") else Path(address)
    return [
        path
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.stat().st_size and path.name != ".lock"
    ]


def test_a_flipped_byte_in_any_stored_file_is_noticed(
    address: str, opened: Opener, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    opened().publish(make_version(tmp_path, 1))
    opened().set_labels({"stable": 1})
    server_folder = request.getfixturevalue("s3_server").folder if address.startswith("s3://") else tmp_path
    stored = _stored(address, server_folder)
    assert len(stored) >= 5
    for path in stored:
        original = path.read_bytes()
        for place in {0, len(original) // 3, len(original) // 2, len(original) - 1}:
            flipped = bytearray(original)
            flipped[place] ^= 1
            path.write_bytes(bytes(flipped))
            with pytest.raises(DigestMismatchError):
                opened().fetch("stable", tmp_path / f"{path.name}-{place}")
            assert not list(tmp_path.glob(f"{path.name}-{place}/1"))
        path.write_bytes(original)
    opened().fetch("stable", tmp_path / "pod")


def test_a_changed_fact_in_a_manifest_is_noticed_by_everybody(tmp_path: Path) -> None:
    repository = open_repository(tmp_path / "repository")
    repository.publish(make_version(tmp_path, 1))
    path = tmp_path / "repository" / "1" / MANIFEST_NAME
    path.write_text(path.read_text().replace('"node_count": 3', '"node_count": 4'))
    with pytest.raises(DigestMismatchError, match=r"expected bytes that manifest\.json\.sha256 tells"):
        repository.manifest(1)
