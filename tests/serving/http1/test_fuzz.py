"""Requests by a hostile hand, over real sockets: octets at random, good requests with wounds, in strange pieces.

Whatever comes, what is written back is whole HTTP responses, the connection ends, nothing is left behind, and the
next client is served. Good requests around a bad one are answered with their own bodies: what is remembered of
one request is never mixed into another.
"""

import asyncio
import contextlib
import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.http1 import HttpServer, Limits, Request, Response
from tests.serving.http1.test_connection import refuse

MANY = settings(max_examples=120, deadline=None)
GOOD = (
    b"GET / HTTP/1.1\r\nhost: a\r\n\r\n",
    b"POST /v1/models/m:predict HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello",
    b"POST /x?y=z HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
)
TOKENS = st.sampled_from(
    [
        *(b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b"\xff", b"GET ", b"HTTP/1.1", b"HTTP/9.9"),
        *(b"content-length: 3\r\n", b"Content-Length: -1\r\n", b"transfer-encoding: chunked\r\n"),
        *(b"0\r\n\r\n", b"ffffffffffffffff\r\n", b"upgrade: h2c\r\nconnection: upgrade\r\n"),
        *(b" folded\r\n", b"x" * 300),
    ]
)


async def echo(request: Request) -> Response:
    return Response(body=request.method.encode() + b" " + request.body, content_type="text/plain")


class Asked:
    """One server for all examples."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        limits = Limits(max_request_bytes=200, max_header_bytes=256, receive_timeout_seconds=1)
        self.server = HttpServer(echo, limits, refusal=refuse)
        self.runner.run(self.server.listen("127.0.0.1", 0))

    def send(self, pieces: list[bytes]) -> bytes:
        """All that comes back until the server has nothing more to say."""
        return self.runner.run(self._send(pieces))

    async def _send(self, pieces: list[bytes]) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        with contextlib.suppress(OSError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            writer.write_eof()
        written = b""
        with contextlib.suppress(ConnectionError):
            written = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        await self.server.wait_until_empty()
        return written

    def close(self) -> None:
        self.runner.run(self.server.close(grace_seconds=0))
        self.runner.close()


@pytest.fixture(scope="module")
def asked() -> Iterator[Asked]:
    opened = Asked()
    yield opened
    opened.close()


HEAD = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n((?:[a-z-]+: [^\r\n]*\r\n)*)\r\n")


def read_responses(written: bytes) -> list[tuple[int, bytes]]:
    """The responses in `written`, which must be nothing else."""
    responses = []
    while written:
        match = HEAD.match(written)
        assert match, written[:100]
        status, written = int(match[1]), written[match.end() :]
        if status == 100:
            continue
        length = re.search(rb"content-length: (\d+)\r\n", match[2])
        assert length
        size = int(length[1])
        assert len(written) >= size
        responses.append((status, written[:size]))
        written = written[size:]
    return responses


def cut(octets: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({place % (len(octets) + 1) for place in cuts})
    return [octets[start:end] for start, end in zip([0, *places], [*places, len(octets)], strict=True)]


def check(asked: Asked, octets: bytes, cuts: list[int]) -> list[tuple[int, bytes]]:
    responses = read_responses(asked.send(cut(octets, cuts)))
    assert all(status in {200, 400, 408, 413, 431, 501} for status, _ in responses)
    assert all(status == 200 for status, _ in responses[:-1])  # after a refusal nothing is read
    assert asked.server.receiving_bytes == 0
    assert read_responses(asked.send([GOOD[1]])) == [(200, b"POST hello")]
    return responses


CUTS = st.lists(st.integers(0, 400), max_size=4)


@MANY
@given(octets=st.binary(max_size=300), cuts=CUTS)
def test_octets_at_random_do_no_harm(asked: Asked, octets: bytes, cuts: list[int]) -> None:
    check(asked, octets, cuts)


@st.composite
def wounded(draw: st.DrawFn) -> bytes:
    octets = b"".join(draw(st.lists(st.sampled_from(GOOD), min_size=1, max_size=3)))
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.integers(0, len(octets)))
        octets = (
            octets[:place] + draw(TOKENS | st.binary(max_size=3)) + octets[place + draw(st.integers(0, 5)) :]
        )
    return octets


@MANY
@given(octets=wounded(), cuts=CUTS)
def test_wounded_requests_do_no_harm(asked: Asked, octets: bytes, cuts: list[int]) -> None:
    check(asked, octets, cuts)


@MANY
@given(bodies=st.lists(st.binary(max_size=30), min_size=1, max_size=6), cuts=CUTS, chunked=st.booleans())
def test_good_requests_in_any_pieces_get_their_own_bodies_in_order(
    asked: Asked, bodies: list[bytes], cuts: list[int], chunked: bool
) -> None:
    octets = b"".join(chunks(body) if chunked else plain(body) for body in bodies)
    assert check(asked, octets, cuts) == [(200, b"POST " + body) for body in bodies]


def plain(body: bytes) -> bytes:
    return b"POST /v1/models/m:predict HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


def chunks(body: bytes) -> bytes:
    head = b"POST /v1/models/m:predict HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
    middle = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
    return head + middle + b"0\r\n\r\n"
