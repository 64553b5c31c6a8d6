"""An S3 server that is killed, misconfigured or left untidy."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from model_export.errors import RepositoryError
from model_export.repository.retry import Retry
from model_export.repository.s3 import S3Repository
from tests.model_export.repository.s3_server import BUCKET, S3Server, once
from tests.model_export.repository.version_folders import BIG, contents, make_version


@pytest.fixture
def own_server(tmp_path: Path, s3_environment: Callable[[S3Server], None]) -> Iterator[S3Server]:
    server = S3Server(tmp_path / "own-s3")
    server.start()
    s3_environment(server)
    yield server
    server.kill()


def _repository(retry: Retry, progress: Callable[[str, int, int], None] = lambda *_: None) -> S3Repository:
    return S3Repository.connect(BUCKET, "mnist", retry=retry, progress=progress)


@pytest.mark.parametrize("doing", ["publish", "fetch"])
def test_a_server_killed_in_the_middle_and_back_again_is_only_a_pause(
    own_server: S3Server, tmp_path: Path, doing: str
) -> None:
    made = make_version(tmp_path, 1, files=BIG)
    kill = once(own_server.kill)
    bring_back = once(own_server.start)
    retry = Retry(sleep=lambda _seconds: bring_back())
    if doing == "fetch":
        _repository(retry).publish(made)
    repository = _repository(retry, lambda *_: kill())
    if doing == "publish":
        repository.publish(made)
    fetched = repository.fetch(1, tmp_path / "pod")
    assert contents(made).items() <= contents(fetched).items()


@pytest.mark.parametrize("doing", ["publish", "fetch"])
def test_a_server_that_stays_away_is_a_clear_error_after_a_limited_time(
    own_server: S3Server, tmp_path: Path, doing: str
) -> None:
    made = make_version(tmp_path, 1, files=BIG)
    waits: list[float] = []
    retry = Retry(
        attempts=4, first_delay_seconds=1, longest_delay_seconds=3, sleep=waits.append, draw=lambda: 1.0
    )
    if doing == "fetch":
        _repository(retry).publish(made)
    kill = once(own_server.kill)
    repository = _repository(retry, lambda *_: kill())
    with pytest.raises(RepositoryError, match=r"expected to .* \(4 attempts\); check that the server is up"):
        repository.publish(made) if doing == "publish" else repository.fetch(1, tmp_path / "pod")
    assert waits == [1, 2, 3]
    own_server.start()
    assert _repository(retry).versions() == (() if doing == "publish" else (1,))
    assert not (tmp_path / "pod" / "1").exists()


UNUSABLE = {
    "wrong secret": ("AWS_SECRET_ACCESS_KEY", "wrong", "correct the credentials"),
    "unknown key": ("AWS_ACCESS_KEY_ID", "nobody", "correct the credentials, their rights"),
}


@pytest.mark.parametrize(("name", "value", "remedy"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_what_an_operator_must_mend_is_not_tried_again(
    s3_server: S3Server,
    s3_environment: Callable[[S3Server], None],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    remedy: str,
) -> None:
    s3_environment(s3_server)
    monkeypatch.setenv(name, value)
    waits: list[float] = []
    with pytest.raises(RepositoryError, match=remedy):
        _repository(Retry(sleep=waits.append)).versions()
    assert waits == []


def test_a_bucket_that_is_not_there_is_named(
    s3_server: S3Server, s3_environment: Callable[[S3Server], None]
) -> None:
    s3_environment(s3_server)
    with pytest.raises(RepositoryError, match=r"received NoSuchBucket: .*; create the bucket"):
        S3Repository.connect("nobodys-bucket", "mnist").versions()


def test_files_left_by_a_dead_publisher_stay_a_day_then_go(
    s3_server: S3Server, s3_environment: Callable[[S3Server], None], tmp_path: Path
) -> None:
    s3_environment(s3_server)
    prefix = f"{tmp_path.name}/old"
    repository = S3Repository.connect(BUCKET, prefix)
    repository.publish(make_version(tmp_path, 1))
    left = s3_server.folder / BUCKET / prefix / "2" / "files" / ("0" * 64)
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    repository.gc(keep=1)
    assert left.exists()
    yesterday = left.stat().st_mtime - 90_000
    os.utime(left, (yesterday, yesterday))
    repository.gc(keep=1)
    assert not left.exists()
    assert repository.versions() == (1,)


def test_a_listing_of_more_than_one_page_is_read_to_its_end(
    s3_server: S3Server, s3_environment: Callable[[S3Server], None], tmp_path: Path
) -> None:
    s3_environment(s3_server)
    prefix = s3_server.folder / BUCKET / tmp_path.name / "many"
    for version in range(1, 1201):
        (prefix / str(version)).mkdir(parents=True)
        (prefix / str(version) / "manifest.json").write_text("{}")
    assert S3Repository.connect(BUCKET, f"{tmp_path.name}/many").versions() == tuple(range(1, 1201))
