"""Answers that are lost, cut, late or wrong, and servers that do not keep their word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from model_export.errors import RepositoryError, VersionExistsError
from model_export.repository import open_repository
from model_export.repository.retry import Retry
from model_export.repository.s3 import S3Repository
from tests.model_export.repository.faulty_servers import BUSY, EMPTY_LISTING, FaultyWire, scripted
from tests.model_export.repository.s3_server import BUCKET, S3Server
from tests.model_export.repository.version_folders import contents, make_version

AT_ONCE = Retry(attempts=3, sleep=lambda _seconds: None)


@pytest.fixture
def through(
    s3_server: S3Server,
    s3_environment: Callable[[S3Server], None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Callable[[Callable[[str], int | None]], object]:
    """Open a repository on the real server, through a wire that loses what it is told to lose."""
    s3_environment(s3_server)

    @contextmanager
    def open_through(passed_bytes: Callable[[str], int | None]) -> Iterator[S3Repository]:
        wire = FaultyWire(s3_server.port, passed_bytes)
        monkeypatch.setenv("AWS_ENDPOINT_URL", wire.endpoint)
        try:
            yield S3Repository.connect(BUCKET, f"{tmp_path.name}/mnist", retry=AT_ONCE)
        finally:
            wire.close()

    return open_through


def _losing_one_write(name: str) -> Callable[[str], int | None]:
    left = [1]

    def decide(request: str) -> int | None:
        if request.startswith("PUT") and name in request and left:
            return left.pop() - 1
        return None

    return decide


def test_a_publisher_whose_answer_was_lost_knows_that_it_has_won(
    through: Callable[..., object], tmp_path: Path
) -> None:
    made = make_version(tmp_path, 1)
    with through(_losing_one_write("manifest.json")) as repository:
        assert repository.publish(made).version == 1
        assert contents(made).items() <= contents(repository.fetch(1, tmp_path / "pod")).items()


def test_labels_whose_answer_was_lost_are_moved_all_the_same(
    through: Callable[..., object], tmp_path: Path
) -> None:
    with through(_losing_one_write("labels.json")) as repository:
        repository.publish(make_version(tmp_path, 1))
        assert repository.set_labels({"stable": 1}) == {"stable": 1}
        assert repository.labels() == {"stable": 1}


@pytest.mark.parametrize(("passed_bytes", "requests"), [(0, 3), (500, 3), (700_000, 3), (2_500_000, 2)])
def test_a_download_that_breaks_off_goes_on_where_it_stopped(
    through: Callable[..., object], tmp_path: Path, passed_bytes: int, requests: int
) -> None:
    made = make_version(tmp_path, 1, files={"saved_model.pb": bytes(range(256)) * 12_000})
    asked: list[str] = []

    def cut_files(request: str) -> int | None:
        if "/files/" in request and request.startswith("GET"):
            asked.append(request)
            return passed_bytes if len(asked) < 3 else None
        return None

    with through(cut_files) as repository:
        repository.publish(made)
        fetched = repository.fetch(1, tmp_path / "pod")
        assert contents(made).items() <= contents(fetched).items()
        assert len(asked) == requests


def test_a_download_may_break_off_more_often_than_the_limit_while_bytes_arrive(
    through: Callable[..., object], tmp_path: Path
) -> None:
    made = make_version(tmp_path, 1, files={"saved_model.pb": bytes(range(256)) * 24_000})
    asked: list[str] = []

    def cut_files(request: str) -> int | None:
        if "/files/" in request and request.startswith("GET"):
            asked.append(request)
            return 1_200_000
        return None

    with through(cut_files) as repository:
        repository.publish(made)
        repository.fetch(1, tmp_path / "pod")
        assert len(asked) > 3


@pytest.mark.parametrize("passed_bytes", [None, 0], ids=["answer heard", "answer lost"])
def test_a_rival_between_the_check_and_the_write_wins(
    through: Callable[..., object], opened_rival: S3Repository, tmp_path: Path, passed_bytes: int | None
) -> None:
    rival = make_version(tmp_path / "rival", 1, files={"saved_model.pb": b"the rival's graph"})
    state = {"published": False}

    def rival_first(request: str) -> int | None:
        if request.startswith("PUT") and "manifest.json" in request and not state["published"]:
            state["published"] = True
            opened_rival.publish(rival)
            return passed_bytes
        return None

    with through(rival_first) as repository:
        with pytest.raises(VersionExistsError, match="another publisher meanwhile") as caught:
            repository.publish(make_version(tmp_path, 1))
        assert not caught.value.same_content
        assert contents(rival).items() <= contents(repository.fetch(1, tmp_path / "pod")).items()


@pytest.fixture
def opened_rival(
    s3_server: S3Server, s3_environment: Callable[[S3Server], None], tmp_path: Path
) -> S3Repository:
    s3_environment(s3_server)
    return S3Repository.connect(BUCKET, f"{tmp_path.name}/mnist")


def _use(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    for name, value in {
        "ACCESS_KEY_ID": "x",
        "SECRET_ACCESS_KEY": "x",
        "DEFAULT_REGION": "us-east-1",
        "ENDPOINT_URL": endpoint,
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)


def test_a_busy_server_is_asked_again_and_then_named(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def busy(_method: str, path: str) -> tuple[int, bytes]:
        asked.append(path)
        return 503, BUSY

    with scripted(busy) as endpoint:
        _use(monkeypatch, endpoint)
        with pytest.raises(RepositoryError, match=r"received SlowDown .* \(3 attempts\)"):
            S3Repository.connect("models", "mnist", retry=AT_ONCE).versions()
    assert len(asked) == 3


def test_a_server_that_is_busy_for_a_moment_is_only_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([(503, BUSY), (500, b""), (200, EMPTY_LISTING)])
    with scripted(lambda _method, _path: next(answers)) as endpoint:
        _use(monkeypatch, endpoint)
        assert S3Repository.connect("models", "mnist", retry=AT_ONCE).versions() == ()


def test_a_server_that_ignores_conditions_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    written: list[str] = []

    def forgetful(method: str, path: str) -> tuple[int, bytes]:
        if method == "PUT":
            written.append(path)
        return 200, b"" if method == "PUT" else EMPTY_LISTING

    with scripted(forgetful) as endpoint:
        _use(monkeypatch, endpoint)
        with pytest.raises(
            RepositoryError, match=r"keeps If-None-Match, received one that ignores it; .*writers=one"
        ):
            open_repository("s3://models/mnist").publish(make_version(tmp_path, 1))
    assert {path.rpartition("/")[2] for path in written} == {"conditional-writes"}


def test_a_single_writer_needs_no_conditions(
    s3_server: S3Server, s3_environment: Callable[[S3Server], None], tmp_path: Path
) -> None:
    s3_environment(s3_server)
    repository = open_repository(f"s3://{BUCKET}/{tmp_path.name}/mnist?writers=one")
    repository.publish(make_version(tmp_path, 1))
    assert repository.set_labels({"stable": 1}) == {"stable": 1}
    assert repository.fetch("stable", tmp_path / "pod").name == "1"
    with pytest.raises(VersionExistsError):
        repository.publish(make_version(tmp_path, 1))
