"""The same door in front of an upstream: our own server stands in for TensorFlow Serving."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from serving.settings import ServingSettings
from serving.upstream import UpstreamServer
from tests.serving.access.worlds import (
    PREDICT,
    ask_grpc,
    ask_rest,
    identity,
    question,
    serve,
    write_access,
)
from tests.serving.processes import free_port

BODY = {"instances": [[1, 2]]}
SHOP = identity("shop", "secret", models={"double": ["infer"]})


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[UpstreamServer]:
    access = write_access(tmp_path / "access.json", SHOP)
    async with serve(tmp_path) as behind:
        settings = ServingSettings(
            listen_address="127.0.0.1",
            port=free_port(),
            rest_api_port=free_port(),
            model_name="double",
            upstream_rest=f"127.0.0.1:{behind.rest_port}",
            upstream_grpc=f"127.0.0.1:{behind.grpc_port}",
            access_file=str(access),
            access_log=str(tmp_path / "access.log"),
            drain_seconds=0,
        )
        server = UpstreamServer(settings)
        try:
            await server.start()
            yield server
        finally:
            await server.close()


@pytest.mark.parametrize(
    ("token", "model", "status", "code"),
    [
        ("", "double", 401, "UNAUTHENTICATED"),
        ("wrong", "double", 401, "UNAUTHENTICATED"),
        ("secret", "other", 403, "PERMISSION_DENIED"),  # it is there, behind the door
        ("secret", "double", 200, "OK"),
    ],
)
async def test_an_upstream_is_asked_by_those_who_may(
    front: UpstreamServer, token: str, model: str, status: int, code: str
) -> None:
    response = await ask_rest(front, f"/v1/models/{model}:predict", body=BODY, token=token)
    answered, _ = await ask_grpc(front, PREDICT, question(model), token=token)
    assert (response.status_code, answered.name) == (status, code)


async def test_a_path_that_only_the_upstream_knows_is_not_passed(front: UpstreamServer) -> None:
    response = await ask_rest(front, "/statusz/", token="secret")
    assert (response.status_code, response.json()) == (404, {"error": "Not found: GET /statusz/"})
