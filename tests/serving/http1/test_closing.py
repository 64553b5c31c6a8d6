"""How a server closes: what is under way is answered, and what is idle goes at once."""

import asyncio

from serving.http1 import Request, Response
from tests.serving.http1.test_connection import ask, read_response, serving

ASK = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


async def test_closing_lets_the_running_answer_finish() -> None:
    started, may_finish = asyncio.Event(), asyncio.Event()

    async def wait(request: Request) -> Response:
        if request.path == "/wait":
            started.set()
            await may_finish.wait()
        return Response(body=b"done")

    async with serving(wait) as (server, connect):
        reader, writer = await connect()
        idle_reader, idle_writer = await connect()
        idle_writer.write(ASK)
        await read_response(idle_reader)
        writer.write(ASK.replace(b"/ ", b"/wait ", 1))
        await started.wait()
        closing = asyncio.create_task(server.close(grace_seconds=5))
        assert await idle_reader.read() == b""
        may_finish.set()
        status, headers, body = await read_response(reader)
        await closing
    assert (status, headers["connection"], body) == (200, "close", b"done")


async def test_the_first_request_of_a_connection_that_was_just_opened_is_answered() -> None:
    async with serving() as (server, connect):
        reader, writer = await connect()
        while not server.connections:  # noqa: ASYNC110 - it is accepted in a later turn of the loop
            await asyncio.sleep(0)
        closing = asyncio.create_task(server.close(grace_seconds=5))
        await asyncio.sleep(0)
        writer.write(ASK)
        status, headers, _ = await read_response(reader)
        await closing
    assert (status, headers["connection"]) == (200, "close")


async def test_a_new_connection_that_says_nothing_is_closed_within_the_grace() -> None:
    async with serving() as (server, connect):
        reader, _ = await connect()
        await ask(connect, ASK)
        await server.close(grace_seconds=0)
        assert await reader.read() == b""
