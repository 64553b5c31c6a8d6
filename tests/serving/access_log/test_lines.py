"""What is written of a request, over real sockets and on every transport."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from serving.backend import FakeBackend
from serving.server import Server
from serving.tensors.dtypes import Array
from tests.serving.access.worlds import (
    PREDICT,
    ask_grpc,
    ask_rest,
    identity,
    question,
    serve,
    write_access,
)
from tests.serving.worlds import DOUBLE

BODY = {"instances": [[1, 2]]}
TRACE = "0af7651916cd43dd8448eb211c80319c"


class Logged:
    def __init__(self, server: Server, path: Path) -> None:
        self.server = server
        self.path = path

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text().splitlines()]


@asynccontextmanager
async def logged(folder: Path, **settings: Any) -> AsyncIterator[Logged]:
    """A server that writes a log; the lines are whole once it is closed."""
    path = folder / "access.log"
    async with serve(folder, access_log=str(path), **settings) as server:
        yield Logged(server, path)


async def test_a_rest_request_is_one_line(tmp_path: Path) -> None:
    headers = {"x-request-id": "abc-1", "traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    async with logged(tmp_path) as world:
        response = await ask_rest(world.server, "/v1/models/double:predict", body=BODY, headers=headers)
        assert response.headers["x-request-id"] == "abc-1"
    (line,) = world.lines()
    assert line.pop("time").endswith("Z")
    assert line.pop("seconds") >= line.pop("queue_seconds") >= 0
    assert line == {
        "transport": "rest",
        "method": "POST",
        "path": "/v1/models/{model}:predict",
        "model": "double",
        "version": 3,
        "code": 200,
        "bytes_in": len(response.request.content),
        "bytes_out": len(response.content),
        "cache": "miss",
        "request_id": "abc-1",
        "trace_id": TRACE,
    }


@pytest.mark.parametrize("transport", ["http2", "grpcio"])
async def test_a_grpc_call_is_one_line(tmp_path: Path, transport: str) -> None:
    async with logged(tmp_path, grpc_transport=transport) as world:
        _, answer = await ask_grpc(world.server, PREDICT, question("double"))
        await ask_grpc(world.server, PREDICT, question("double"))
    first, second = world.lines()
    del first["time"], first["seconds"], first["queue_seconds"], first["request_id"]
    assert first == {
        "transport": "grpc",
        "path": PREDICT,
        "model": "double",
        "version": 3,
        "code": "OK",
        "bytes_in": len(question("double")),
        "bytes_out": len(answer),
        "cache": "miss",
    }
    assert (second["cache"], "queue_seconds" in second) == ("hit", False)


async def test_a_kept_answer_is_a_hit_with_its_model_and_version(tmp_path: Path) -> None:
    async with logged(tmp_path) as world:
        for number in range(3):
            headers = {"x-request-id": f"q-{number}"}
            response = await ask_rest(world.server, "/v1/models/double:predict", body=BODY, headers=headers)
            assert (response.json(), response.headers["x-request-id"]) == (
                {"predictions": [[2.0, 4.0]]},
                f"q-{number}",
            )
    lines = world.lines()
    assert [(line["cache"], line["model"], line["version"]) for line in lines] == [
        (state, "double", 3) for state in ("miss", "hit", "hit")
    ]
    assert {line["bytes_out"] for line in lines} == {len(response.content)}


async def test_a_client_that_went_away_is_written_down(tmp_path: Path) -> None:
    started, release = threading.Event(), threading.Event()

    def wait(inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        started.set()
        assert release.wait(10)
        return {"y": inputs["x"]}

    async with logged(tmp_path, backend=lambda: FakeBackend([DOUBLE], wait)) as world:
        _, writer = await asyncio.open_connection("127.0.0.1", world.server.rest_port)
        body = json.dumps(BODY).encode()
        writer.write(
            b"POST /v1/models/double:predict HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body)
            + body
        )
        while not started.is_set():  # noqa: ASYNC110 - the model runs in a thread
            await asyncio.sleep(0)
        writer.transport.abort()
        for _ in range(100):  # the server is on the same loop, one turn behind
            await asyncio.sleep(0)
        release.set()
    assert [(line["code"], line["model"], line["bytes_out"]) for line in world.lines()] == [
        (499, "double", 0)
    ]


async def test_a_failure_has_its_code_and_no_name_that_a_client_made_up(tmp_path: Path) -> None:
    made_up_version = "7777777777777777"  # longer than any other run of digits in a line
    async with logged(tmp_path) as world:
        await ask_rest(world.server, "/v1/models/made-up:predict", body=BODY)
        await ask_rest(world.server, f"/v1/models/double/versions/{made_up_version}:predict", body=BODY)
        await ask_rest(
            world.server, "/made/up", headers={"x-request-id": "made up", "traceparent": "00-made-up-01"}
        )
        await ask_grpc(world.server, PREDICT, question("made-up"))
    assert "made" not in world.path.read_text()
    assert made_up_version not in world.path.read_text()
    assert [(line["path"], line.get("model"), line["code"]) for line in world.lines()] == [
        ("/v1/models/{model}:predict", "other", 404),
        ("/v1/models/{model}/versions/{version}:predict", "double", 404),
        ("other", None, 404),
        (PREDICT, None, "NOT_FOUND"),
    ]


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/v1/models/double", "/v1/models/{model}"),
        ("/v1/models/double/labels/stable", "/v1/models/{model}/labels/{label}"),
        ("/v1/models/double/versions/3/metadata", "/v1/models/{model}/versions/{version}/metadata"),
        ("/v1/models/double/openapi.json", "/v1/models/{model}/openapi.json"),
        ("/v2", "/v2"),
        ("/v2/health/live", "/v2/health/live"),
        ("/v2/models/double", "/v2/models/{model}"),
        ("/v2/models/double/versions/3/ready", "/v2/models/{model}/versions/{version}/ready"),
    ],
)
async def test_a_path_is_written_as_its_template(tmp_path: Path, path: str, template: str) -> None:
    async with logged(tmp_path) as world:
        await ask_rest(world.server, path)
    assert [line["path"] for line in world.lines()] == [template]


async def test_what_never_became_a_request_has_a_line(tmp_path: Path) -> None:
    async with logged(tmp_path, max_request_bytes=100) as world:
        await ask_rest(world.server, "/v1/models/double:predict", body={"instances": [[1, 2]] * 50})
    assert [(line["path"], line["code"]) for line in world.lines()] == [("other", 413)]


async def test_who_was_not_let_in_is_written_down_and_who_was_by_name(tmp_path: Path) -> None:
    access = write_access(tmp_path / "access.json", identity("shop", "secret", models={"double": ["infer"]}))
    async with logged(tmp_path, access_file=str(access)) as world:
        for token in ("", "wrong", "secret"):
            await ask_rest(world.server, "/v1/models/double:predict", body=BODY, token=token)
            await ask_grpc(world.server, PREDICT, question("double"), token=token)
        await ask_rest(world.server, "/v1/models/other:predict", body=BODY, token="secret")
    assert [(line["code"], line.get("caller")) for line in world.lines()] == [
        (401, None),
        ("UNAUTHENTICATED", None),
        (401, None),
        ("UNAUTHENTICATED", None),
        (200, "shop"),
        ("OK", "shop"),
        (403, "shop"),
    ]
    assert "secret" not in world.path.read_text()


async def test_successes_are_sampled_and_failures_are_not(tmp_path: Path) -> None:
    async with logged(tmp_path, access_log_sample=0.25) as world:
        for _ in range(8):
            await ask_rest(world.server, "/v1/models/double:predict", body=BODY)
            await ask_rest(world.server, "/v1/models/nope:predict", body=BODY)
    codes = [line["code"] for line in world.lines()]
    assert (codes.count(200), codes.count(404), codes[0]) == (2, 8, 200)


async def test_probes_are_left_out(tmp_path: Path) -> None:
    async with logged(tmp_path) as world:
        for path in ("/livez", "/readyz", "/metrics", "/statusz"):
            assert (await ask_rest(world.server, path)).status_code == 200
    assert world.lines() == []


async def test_without_a_log_an_id_is_not_sent_back(tmp_path: Path) -> None:
    async with serve(tmp_path) as server:
        response = await ask_rest(server, "/v2", headers={"x-request-id": "abc"})
    assert "x-request-id" not in response.headers
