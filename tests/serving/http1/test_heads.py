"""What is remembered of a head must change nothing that a client sees."""

import pytest

from serving.http1 import Head, Request, Response
from serving.http1.heads import Heads
from tests.serving.http1.test_connection import read_response, serving

HEAD = b"POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n"


async def note_head(request: Request) -> Response:
    """Tells by the head whether it was met before."""
    head = request.head
    assert head is not None
    head.note = met = 1 + (head.note or 0)  # type: ignore[operator]  # a number of ours
    return Response(body=b"%d %s %s" % (met, request.path.encode(), request.body))


async def test_a_head_that_was_seen_is_known_on_every_connection() -> None:
    async with serving(note_head) as (_, connect):
        bodies = []
        for _ in range(3):
            reader, writer = await connect()
            for body in (b"ab", b"cd"):
                writer.write(HEAD + body)
                bodies.append((await read_response(reader))[2])
    assert bodies == [b"%d /a %s" % (n + 1, b"ab" if n % 2 == 0 else b"cd") for n in range(6)]


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(
            b"POST /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n", id="closing"
        ),
        pytest.param(b"POST /a HTTP/1.0\r\ncontent-length: 2\r\n\r\n", id="HTTP/1.0"),
        pytest.param(
            b"POST /a HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n", id="asking"
        ),
        pytest.param(
            b"POST /a HTTP/1.1\r\nhost: x\r\n%scontent-length: 2\r\n\r\n"
            % b"".join(b"n%d: x\r\n" % number for number in range(32)),
            id="many headers",
        ),
        pytest.param(
            b"POST /a HTTP/1.1\r\nhost: x\r\nlong: %s\r\ncontent-length: 2\r\n\r\n" % (b"x" * 2048),
            id="long head",
        ),
    ],
)
async def test_a_head_that_asks_for_more_than_an_answer_is_parsed_every_time(head: bytes) -> None:
    async with serving(note_head) as (server, connect):
        for _ in range(3):
            reader, writer = await connect()
            writer.write(head + b"ab")
            if b"expect" in head:
                assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            assert (await read_response(reader))[2] == b"1 /a ab"
        assert len(server.heads) == 0


@pytest.mark.parametrize("size", [1, 3, len(HEAD) - 1, len(HEAD), len(HEAD) + 1])
async def test_a_known_head_in_pieces_is_answered_alike(size: int) -> None:
    async with serving(note_head) as (_, connect):
        reader, writer = await connect()
        writer.write(HEAD + b"ab")
        await read_response(reader)
        text = HEAD + b"cd"
        for start in range(0, len(text), size):
            writer.write(text[start : start + size])
            await writer.drain()
        assert (await read_response(reader))[2].endswith(b"/a cd")


async def test_requests_behind_a_known_head_are_answered_in_order() -> None:
    async with serving(note_head) as (_, connect):
        reader, writer = await connect()
        writer.write(HEAD + b"00")
        await read_response(reader)
        writer.write(b"".join(HEAD + b"%02d" % number for number in range(20)))
        bodies = [(await read_response(reader))[2][-2:] for _ in range(20)]
    assert bodies == [b"%02d" % number for number in range(20)]


async def test_more_than_a_known_head_announces_is_the_next_request() -> None:
    async with serving(note_head) as (_, connect):
        reader, writer = await connect()
        writer.write(HEAD + b"ab")
        await read_response(reader)
        writer.write(HEAD + b"abNONSENSE\r\n\r\n")
        assert (await read_response(reader))[2].endswith(b"/a ab")
        assert (await read_response(reader))[0] == 400
        assert await reader.read() == b""


async def test_a_trailer_is_no_header() -> None:
    async def tenant(request: Request) -> Response:
        return Response(body=request.headers.get("x-tenant", "nobody").encode())

    async with serving(tenant) as (_, connect):
        reader, writer = await connect()
        writer.write(
            b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx-tenant: other\r\n\r\n"
        )
        assert (await read_response(reader))[2] == b"nobody"


def test_heads_that_never_come_again_are_forgotten() -> None:
    heads = Heads()
    for number in range(10_000):
        heads.remember(b"%d" % number, Head("GET", "/", "", {}))
    assert len(heads) <= 1024
    assert heads.find(b"9999") is not None
