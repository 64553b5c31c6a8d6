"""Real sockets on the loopback; what a client sees, byte by byte."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest

from serving.http1 import HttpServer, Limits, Request, Response
from serving.http1.segments import decode_segment

Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def echo(request: Request) -> Response:
    text = f"{request.method} {request.path} ?{request.query} {request.body.decode()}"
    return Response(body=text.encode(), content_type="text/plain")


def refuse(status: HTTPStatus, message: str) -> Response:
    return Response(status=status, body=message.encode(), content_type="text/plain")


@asynccontextmanager
async def serving(
    handler: Callable[[Request], object] = echo, **limits: float
) -> AsyncIterator[tuple[HttpServer, Callable[[], object]]]:
    server = HttpServer(handler, Limits(**limits), refusal=refuse)  # type: ignore[arg-type]
    await server.listen("127.0.0.1", 0)
    opened: list[asyncio.StreamWriter] = []

    async def connect() -> Client:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        opened.append(writer)
        return reader, writer

    try:
        yield server, connect
    finally:
        for writer in opened:
            writer.close()
        await server.close(grace_seconds=0.1)


async def read_response(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    status, *lines = head.strip().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(status.split()[1]), headers, await reader.readexactly(int(headers["content-length"]))


async def ask(connect: Callable[[], object], text: bytes) -> tuple[int, dict[str, str], bytes]:
    reader, writer = await connect()  # type: ignore[misc]
    writer.write(text)
    return await read_response(reader)


async def test_a_request_is_answered() -> None:
    async with serving() as (_, connect):
        answer = await ask(connect, b"POST /a%20b?c=d HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi")
    assert answer == (200, {"content-type": "text/plain", "content-length": "19"}, b"POST /a%20b ?c=d hi")


async def test_requests_sent_without_waiting_are_answered_in_order() -> None:
    async with serving() as (_, connect):
        reader, writer = await connect()
        writer.write(b"".join(b"GET /%d HTTP/1.1\r\nhost: x\r\n\r\n" % number for number in range(20)))
        bodies = [(await read_response(reader))[2] for _ in range(20)]
    assert bodies == [b"GET /%d ? " % number for number in range(20)]


async def test_a_request_that_comes_byte_by_byte_is_answered() -> None:
    async with serving() as (_, connect):
        reader, writer = await connect()
        for byte in b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc":
            writer.write(bytes([byte]))
            await writer.drain()
        assert (await read_response(reader))[2] == b"POST / ? abc"


async def test_a_chunked_body_is_put_together() -> None:
    async with serving() as (_, connect):
        status, _, body = await ask(
            connect,
            b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
        )
    assert (status, body) == (200, b"POST / ? abc")


async def test_a_client_that_waits_for_permission_gets_it() -> None:
    async with serving() as (_, connect):
        reader, writer = await connect()
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"a")
        assert (await read_response(reader))[2] == b"POST / ? a"


async def test_head_is_answered_without_a_body() -> None:
    async with serving() as (_, connect):
        reader, writer = await connect()
        writer.write(b"HEAD / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        text = await reader.read()
    assert text.endswith(b"\r\n\r\n")
    assert b"content-length: 9" in text


@pytest.mark.parametrize(
    ("request_text", "stays_open"),
    [
        pytest.param(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", True, id="HTTP/1.1"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", False, id="asked to close"),
        pytest.param(b"GET / HTTP/1.0\r\n\r\n", False, id="HTTP/1.0"),
    ],
)
async def test_a_connection_is_kept_as_the_client_wishes(request_text: bytes, stays_open: bool) -> None:
    async with serving() as (_, connect):
        reader, writer = await connect()
        writer.write(request_text)
        _, headers, _ = await read_response(reader)
        assert (headers.get("connection") != "close") is stays_open
        if not stays_open:
            assert await reader.read() == b""


@pytest.mark.parametrize(
    ("text", "status"),
    [
        pytest.param(b"nonsense\r\n\r\n", 400, id="no HTTP"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: x\r\nno colon\r\n\r\n", 400, id="no header"),
        pytest.param(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", 400, id="negative length"),
        pytest.param(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1x\r\n\r\n", 400, id="no length"),
        pytest.param(
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
            400,
            id="two lengths",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            id="length and chunks: smuggling",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: x\r\n\r\n", 400, id="unknown coding: smuggling"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 400, id="no chunk size"
        ),
        pytest.param(b"GET / HTTP/1.1\r\nhost: x\r\na: b\r\n c\r\n\r\n", 400, id="folded header"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: x\r\na: b\0c\r\n\r\n", 400, id="NUL in a header"),
        pytest.param(b"GET /\0 HTTP/1.1\r\nhost: x\r\n\r\n", 400, id="NUL in the path"),
        pytest.param(
            b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n", 501, id="upgrade"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 101\r\n\r\n", 413, id="long body announced"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n65\r\n" + b"x" * 101,
            413,
            id="long body in chunks",
        ),
        pytest.param(b"GET /" + b"x" * 1000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", 431, id="long path"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 200 + b"\r\n", 431, id="many headers"),
    ],
)
async def test_a_request_against_the_rules_is_refused_and_its_connection_closed(
    text: bytes, status: int
) -> None:
    async with serving(max_request_bytes=100, max_header_bytes=1000) as (_, connect):
        reader, writer = await connect()
        writer.write(text)
        answered, headers, _ = await read_response(reader)
        assert (answered, headers["connection"]) == (status, "close")
        assert await reader.read() == b""


@pytest.mark.parametrize(("size", "status"), [(0, 200), (99, 200), (100, 200), (101, 413)])
async def test_the_body_limit_is_exact(size: int, status: int) -> None:
    async with serving(max_request_bytes=100) as (_, connect):
        answer = await ask(
            connect, b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size
        )
    assert answer[0] == status


async def test_half_a_request_is_refused_when_its_time_is_up() -> None:
    async with serving(receive_timeout_seconds=0.01) as (_, connect):
        status, _, body = await ask(connect, b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nabc")
    assert (status, body) == (408, b"expected the whole request within 0.01 s")


async def test_trickling_bytes_do_not_extend_the_deadline() -> None:
    async with serving(receive_timeout_seconds=0.2) as (_, connect):
        reader, writer = await connect()

        async def trickle() -> None:
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n")
            while not reader.at_eof():
                writer.write(b"a: b\r\n")
                await asyncio.sleep(0.02)

        trickling = asyncio.create_task(trickle())
        status, _, _ = await read_response(reader)
        trickling.cancel()
    assert status == 408


async def test_an_idle_connection_is_closed() -> None:
    async with serving(keep_alive_seconds=0.01) as (_, connect):
        reader, _ = await connect()
        assert await reader.read() == b""


async def test_a_connection_too_many_is_closed() -> None:
    async with serving(max_connections=1) as (_, connect):
        await ask(connect, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        reader, _ = await connect()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)


async def test_what_is_arriving_is_limited_for_all_connections_together() -> None:
    async with serving(receive_budget_bytes=100) as (_, connect):
        _, waiting = await connect()
        waiting.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 81\r\n\r\n" + b"x" * 80)
        await waiting.drain()
        await ask(connect, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")  # by now the server has read the other one
        refused = await ask(connect, b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 21\r\n\r\n" + b"x" * 21)
        waiting.write(b"x")
        await waiting.drain()
        while (await ask(connect, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"))[0] == 200:
            taken = await ask(
                connect, b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n" + b"x" * 99
            )
            if taken[0] == 200:
                break
    assert (refused[0], taken[0]) == (503, 200)


async def test_a_client_that_does_not_read_is_cut_off() -> None:
    async def much(_request: Request) -> Response:
        return Response(body=b"x" * (32 << 20))

    async with serving(much, keep_alive_seconds=0.1) as (server, connect):
        reader, writer = await connect()
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.wait_for(server.wait_until_empty(), 10)


async def test_a_client_that_goes_away_cancels_its_request() -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def wait(_request: Request) -> Response:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        raise AssertionError

    async with serving(wait) as (_, connect):
        _, writer = await connect()
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await started.wait()
        writer.close()
        await asyncio.wait_for(cancelled.wait(), 5)


@pytest.mark.parametrize(
    ("segment", "decoded"),
    [
        ("mnist", "mnist"),
        ("a%20b", "a b"),
        ("%C3%A9", "é"),
        ("a%2fb", None),
        ("%252e", None),
        ("..", None),
        ("%2e%2e", None),
        ("a%00", None),
        ("%ff", None),
        ("a%5cb", None),
        ("a%3ab", None),
        ("", None),
    ],
)
def test_a_segment_is_decoded_once_and_hides_nothing(segment: str, decoded: str | None) -> None:
    assert decode_segment(segment) == decoded
