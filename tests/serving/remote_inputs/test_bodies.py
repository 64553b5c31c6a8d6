"""Remote inputs over real sockets: a model that writes in capitals, and a host that does what a test wants."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving.backend import FakeBackend
from serving.backend.fake import signature, spec
from serving.server import Server
from serving.tensors.dtypes import Array
from tests.serving.access.worlds import ask_rest, identity, serve, write_access

WORDS = signature([spec("text", "string", (None,))], [spec("upper", "string", (None,))])
PREDICT = "/v1/models/double:predict"


def words() -> FakeBackend:
    def model(inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        return {"upper": np.array([text.upper() for text in inputs["text"]], object)}

    return FakeBackend([WORDS], model)


class Host:
    """Answers every request with what it is told, and counts them."""

    def __init__(self) -> None:
        self.answer = whole(b"remote")
        self.asked: list[str] = []
        self.holds: asyncio.Event | None = None
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.decode().split("\r\n")[0])
        if self.holds is not None:
            await self.holds.wait()
        writer.write(self.answer)
        writer.close()

    def uri(self, path: str = "/in/a.txt") -> dict[str, str]:
        return {"uri": f"http://127.0.0.1:{self.port}{path}"}


def whole(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}content-length: {len(body)}\r\n\r\n".encode() + body


World = tuple[Server, Host]
Ask = Callable[..., Awaitable[tuple[int, Any]]]


@asynccontextmanager
async def stand(folder: Path, **settings: Any) -> AsyncIterator[World]:
    host = Host()
    listening = await asyncio.start_server(host.serve, "127.0.0.1", 0)
    host.port = listening.sockets[0].getsockname()[1]
    prefixes = f"http://127.0.0.1:{host.port}/in/"
    async with serve(folder, backend=words, remote_input_prefixes=prefixes, **settings) as server:
        yield server, host
    listening.close()
    await listening.wait_closed()


async def ask(server: Server, *instances: Any, **options: Any) -> tuple[int, Any]:
    response = await ask_rest(server, PREDICT, body={"instances": list(instances)}, **options)
    return response.status_code, response.json()


async def test_what_is_named_is_fetched_and_answered(tmp_path: Path) -> None:
    async with stand(tmp_path) as (server, host):
        status, answer = await ask(server, host.uri(), "here", {"text": "x"}["text"], host.uri("/in/b?c=d"))
        assert (status, answer) == (200, {"predictions": ["REMOTE", "HERE", "X", "REMOTE"]})
        assert sorted(host.asked) == ["GET /in/a.txt HTTP/1.1", "GET /in/b?c=d HTTP/1.1"]


async def test_the_other_forms_may_name_inputs_too(tmp_path: Path) -> None:
    tensor = lambda value: {"name": "text", "datatype": "BYTES", "shape": [1], "data": [value]}  # noqa: E731
    async with stand(tmp_path) as (server, host):
        for path, body, answer in (
            (PREDICT, {"inputs": {"text": [host.uri()]}}, {"outputs": ["REMOTE"]}),
            (PREDICT, {"instances": [{"text": host.uri()}]}, {"predictions": ["REMOTE"]}),
        ):
            assert (await ask_rest(server, path, body=body)).json() == answer
        response = await ask_rest(server, "/v2/models/double/infer", body={"inputs": [tensor(host.uri())]})
        assert response.json()["outputs"][0]["data"] == ["REMOTE"]


async def test_a_file_that_changed_is_never_answered_from_memory(tmp_path: Path) -> None:
    async with stand(tmp_path) as (server, host):
        await ask(server, host.uri())
        host.answer = whole(b"changed")
        assert await ask(server, host.uri()) == (200, {"predictions": ["CHANGED"]})


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nrem\r\n3\r\note\r\n0\r\n\r\n",
            id="chunks",
        ),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\nremote", id="until the end"),
    ],
)
async def test_a_body_may_be_sent_in_any_way(tmp_path: Path, answer: bytes) -> None:
    async with stand(tmp_path) as (server, host):
        host.answer = answer
        assert await ask(server, host.uri()) == (200, {"predictions": ["REMOTE"]})


@pytest.mark.parametrize(
    ("answer", "status", "complaint"),
    [
        pytest.param(whole(b"", "404 Not Found"), 400, "to answer with 200, got 404", id="not there"),
        pytest.param(
            whole(b"", "302 Found", "location: http://127.0.0.1/in/b\r\n"),
            400,
            "with 200, got 302",
            id="elsewhere",
        ),
        pytest.param(whole(b"x" * 2000), 413, "of at most", id="too large"),
        pytest.param(whole(b"remote")[:-1], 503, "broke off before its end", id="cut off"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n", 503, "otherwise than in HTTP/1.1", id="no HTTP"),
        pytest.param(b"", 400, "with 200, got 0", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000, 413, "fewer bytes", id="endless headers"),
    ],
)
async def test_a_host_that_answers_otherwise_is_told_of(
    tmp_path: Path, answer: bytes, status: int, complaint: str
) -> None:
    async with stand(tmp_path, max_request_bytes=1000) as (server, host):
        host.answer = answer
        got, said = await ask(server, host.uri())
        assert (got, complaint in said["error"]) == (status, True), said
        assert len(host.asked) == 1


async def test_what_is_not_listed_is_not_asked(tmp_path: Path) -> None:
    async with stand(tmp_path) as (server, host):
        for path, status in (("/out/a", 403), ("/in/../out/a", 400)):
            assert (await ask(server, "here", host.uri(path)))[0] == status
        assert (await ask(server, *[host.uri()] * 65))[0] == 400
        assert host.asked == []


async def test_a_host_that_cannot_be_reached_is_told_of(tmp_path: Path) -> None:
    prefixes = "http://127.0.0.1:1/in/"
    async with serve(tmp_path, backend=words, remote_input_prefixes=prefixes) as server:
        status, said = await ask(server, {"uri": f"{prefixes}a"})
    assert (status, said) == (
        503,
        {"error": "the host of a remote input cannot be reached: ConnectionRefusedError"},
    )


async def test_a_host_that_stands_still_costs_only_its_own_request(tmp_path: Path) -> None:
    async with stand(tmp_path, rest_api_timeout_in_ms=300) as (server, host):
        host.holds = asyncio.Event()
        slow = asyncio.create_task(ask(server, host.uri()))
        while not host.asked:  # noqa: ASYNC110 - the host is a plain server
            await asyncio.sleep(0)
        assert await ask(server, "here") == (200, {"predictions": ["HERE"]})
        status, said = await slow
        assert (status, "must be there within 0.3 s" in said["error"]) == (504, True)
        host.holds.set()


async def test_without_a_list_a_uri_is_no_input(tmp_path: Path) -> None:
    async with serve(tmp_path, backend=words) as server:
        status, _ = await ask(server, "x", {"uri": "http://127.0.0.1:1/in/a"})
    assert status == 400


async def test_who_may_not_ask_makes_nobody_fetch(tmp_path: Path) -> None:
    access = write_access(tmp_path / "access.json", identity("shop", "secret", models={"double": ["infer"]}))
    async with stand(tmp_path, access_file=str(access)) as (server, host):
        assert (await ask(server, host.uri()))[0] == 401
        assert host.asked == []
        assert (await ask(server, host.uri(), token="secret"))[0] == 200


async def test_a_body_that_is_none_is_refused_as_ever(tmp_path: Path) -> None:
    async with stand(tmp_path) as (server, host):
        twice = b'{"instances":["a"],"instances":[' + json.dumps(host.uri()).encode() + b"]}"
        for body, complaint in ((b'{"uri"', "JSON Parse error"), (twice, 'got "instances" twice')):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.rest_port)
            writer.write(
                f"POST {PREDICT} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
            )
            head = await reader.readuntil(b"\r\n\r\n")
            said = await reader.read(500)
            writer.close()
            assert (head.split()[1], complaint in said.decode().replace("\\", "")) == (b"400", True), said
        assert host.asked == []
