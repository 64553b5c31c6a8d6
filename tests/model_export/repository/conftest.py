"""Both homes of models, each for real: a folder, and an S3 server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from model_export.repository import ModelRepository, Progress, open_repository
from model_export.repository.interface import silent
from tests.model_export.repository.s3_server import ACCESS, BUCKET, SECRET, S3Server

Opener = Callable[..., ModelRepository]


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def s3_environment(monkeypatch: pytest.MonkeyPatch) -> Callable[[S3Server], None]:
    def use(server: S3Server) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)

    return use


@pytest.fixture(params=["folder", "s3"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty repository in each kind of home."""
    if request.param == "folder":
        return str(tmp_path / "repository")
    request.getfixturevalue("s3_environment")(request.getfixturevalue("s3_server"))
    return f"s3://{BUCKET}/{tmp_path.name}/mnist"


@pytest.fixture
def repository(address: str) -> ModelRepository:
    return open_repository(address)


@pytest.fixture
def opened(address: str) -> Opener:
    """Open the same repository again, as another process would."""

    def open_again(progress: Progress = silent) -> ModelRepository:
        return open_repository(address, progress=progress)

    return open_again
