"""Requests over real sockets to an upstream that does what each test says."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from serving.errors import DeadlineExceeded, Unavailable
from serving.upstream.addresses import Address
from serving.upstream.pool import Pool

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
REQUEST = b"POST /v1/models/m:predict HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nx-more: 1\r\n\r\n{}"


class Upstream:
    """A server whose connections run a script; it counts them."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.connections = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self.script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def upstream(
    script: Script, *, max_response_bytes: int = 1 << 20
) -> AsyncIterator[tuple[Pool, Upstream]]:
    found = Upstream(script)
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    pool = Pool(Address(host="127.0.0.1", port=found.port), max_response_bytes=max_response_bytes)
    yield pool, found
    await pool.close()
    server.close()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(2)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        await read_request(reader)
        writer.write(ANSWER)


def soon(seconds: float = 5.0) -> float:
    return asyncio.get_running_loop().time() + seconds


async def test_a_response_comes_back_with_its_status_type_and_headers() -> None:
    async with upstream(echo) as (pool, _):
        response = await pool.ask(REQUEST, b"{}", deadline=soon())
        assert (response.status, response.body, response.content_type) == (200, b"{}", "application/json")
        assert response.headers == (("x-more", "1"),)


async def test_connections_are_kept_and_used_again() -> None:
    async with upstream(echo) as (pool, behind):
        for _ in range(5):
            await pool.ask(REQUEST, b"{}", deadline=soon())
        assert behind.connections == 1


async def test_requests_at_the_same_time_have_connections_of_their_own() -> None:
    gate = asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            await gate.wait()
            writer.write(ANSWER)

    async with upstream(slow) as (pool, behind):
        asked = [asyncio.ensure_future(pool.ask(REQUEST, b"{}", deadline=soon())) for _ in range(8)]
        while behind.connections < 8:  # noqa: ASYNC110 - a counter, not an event
            await asyncio.sleep(0)
        gate.set()
        assert {response.body for response in await asyncio.gather(*asked)} == {b"{}"}


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na", b"a"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: close\r\n\r\na", b"a"),
    ],
    ids=["chunked", "after 100", "empty", "closing"],
)
async def test_every_form_of_response_is_understood(answer: bytes, body: bytes) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await reader.read()

    async with upstream(say) as (pool, _):
        assert (await pool.ask(REQUEST, b"{}", deadline=soon())).body == body


async def test_a_kept_connection_that_was_closed_costs_no_request() -> None:
    async def one_each(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(ANSWER)
        await read_request(reader)  # the second one is read, and the connection closed without a word

    async with upstream(one_each) as (pool, behind):
        for _ in range(3):
            assert (await pool.ask(REQUEST, b"{}", deadline=soon())).status == 200
        assert behind.connections == 3


async def test_a_new_connection_that_breaks_off_is_not_tried_again() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)

    async with upstream(hang_up) as (pool, behind):
        with pytest.raises(Unavailable, match="gave no answer: it broke off"):
            await pool.ask(REQUEST, b"{}", deadline=soon())
        assert behind.connections == 1


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (b"SSH-2.0-OpenSSH\r\n\r\n", "its response is no HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabcdefghi", "more than 8 bytes"),
    ],
    ids=["another protocol", "too long"],
)
async def test_a_broken_response_is_a_sentence(answer: bytes, complaint: str) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await reader.read()

    async with upstream(say, max_response_bytes=8) as (pool, _):
        with pytest.raises(Unavailable, match=complaint):
            await pool.ask(REQUEST, b"{}", deadline=soon())


async def test_a_second_answer_to_one_request_is_never_taken_for_the_next_ones() -> None:
    async def twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(ANSWER + ANSWER.replace(b"{}", b"[]"))
        await reader.read()

    async with upstream(twice) as (pool, behind):
        for number in range(1, 4):
            assert (await pool.ask(REQUEST, b"{}", deadline=soon())).body == b"{}"
            assert behind.connections == number


async def mute(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def test_a_deadline_ends_the_request_and_its_connection() -> None:
    closed = asyncio.Event()

    async def watch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await mute(reader, writer)
        closed.set()

    async with upstream(watch) as (pool, _):
        with pytest.raises(DeadlineExceeded, match="did not answer in time"):
            await pool.ask(REQUEST, b"{}", deadline=soon(0.01))
        await asyncio.wait_for(closed.wait(), 5)


async def test_who_gives_up_closes_the_connection() -> None:
    asked_for, closed = asyncio.Event(), asyncio.Event()

    async def watch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        asked_for.set()
        await mute(reader, writer)
        closed.set()

    async with upstream(watch) as (pool, _):
        asking = asyncio.ensure_future(pool.ask(REQUEST, b"{}", deadline=soon()))
        await asyncio.wait_for(asked_for.wait(), 5)
        asking.cancel()
        await asyncio.wait_for(closed.wait(), 5)


async def test_an_upstream_that_is_not_there_is_named_at_once_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "s"
    pool = Pool(Address(path=str(path)), max_response_bytes=100)
    for reason in ("cannot be reached", "a moment ago"):
        with pytest.raises(Unavailable, match=f"upstream server at unix:.*{reason}"):
            await pool.ask(REQUEST, b"{}", deadline=soon())
    server = await asyncio.start_unix_server(Upstream(echo).serve, str(path))
    while True:  # until its pause is over
        try:
            response = await pool.ask(REQUEST, b"{}", deadline=soon())
            break
        except Unavailable:
            await asyncio.sleep(0.01)
    assert response.body == b"{}"
    await pool.close()
    server.close()


async def ask_or_give_up(pool: Pool, number: int) -> str:
    """How a request with a body of its own ended; every seventh is given up after a few turns."""
    body = b"%02d" % (number % 100)
    asking = asyncio.ensure_future(pool.ask(REQUEST, body, deadline=soon()))
    if number % 7 == 0:
        for _ in range(number % 5):
            await asyncio.sleep(0)
        asking.cancel()
    try:
        return "right" if (await asking).body == body else "wrong"
    except asyncio.CancelledError:
        return "given up"
    except Unavailable:
        return "hung up on"


async def test_answers_are_never_mixed_up_whoever_gives_up() -> None:
    """Some give up, some connections are hung up on: every answer that comes is the asker's own."""
    chance = random.Random(3)

    async def echo_or_hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            body = (await read_request(reader))[-2:]
            for _ in range(chance.randrange(5)):
                await asyncio.sleep(0)
            if chance.random() < 0.05:
                return
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n" + body)

    async with upstream(echo_or_hang_up) as (pool, _):
        outcomes = Counter()
        for start in range(0, 1000, 50):
            outcomes += Counter(
                await asyncio.gather(*[ask_or_give_up(pool, number) for number in range(start, start + 50)])
            )
    assert outcomes.total() == 1000
    assert outcomes["wrong"] == 0
    assert outcomes["right"] > 700
    assert outcomes["given up"] > 0


async def test_closing_fails_what_is_under_way() -> None:
    async with upstream(mute) as (pool, behind):
        asking = asyncio.ensure_future(pool.ask(REQUEST, b"{}", deadline=soon()))
        while not behind.connections:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await pool.close()
        with pytest.raises(Unavailable):
            await asking
