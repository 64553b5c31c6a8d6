import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from typing import Any

import pytest
import uvloop

from serving.http2 import (
    LATER,
    CallContext,
    Handler,
    Limits,
    StatusCode,
    StatusError,
    StreamingCall,
    UnaryServer,
)
from tests.serving.http2.peer import Peer

Connect = Callable[..., Awaitable[Peer]]
Start = Callable[..., Awaitable[UnaryServer]]


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Every law holds on both event loops."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class Desk:
    """Handlers whose calls the test answers itself, and what it has seen of them."""

    def __init__(self) -> None:
        self.calls: list[tuple[bytes, CallContext]] = []
        self.cancelled: list[str] = []
        self.changed = asyncio.Event()

    def hold(self, message: bytes, call: CallContext) -> Any:
        self.calls.append((message, call))
        call.on_cancel(lambda: self._note_cancelled(message))
        self.changed.set()
        return LATER

    async def wait(self, message: bytes, call: CallContext) -> bytes:
        self.calls.append((message, call))
        self.changed.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self._note_cancelled(message)
            raise
        return b""

    async def watch(self, call: StreamingCall) -> None:
        await self.wait(await call.receive() or b"", call.context)

    def _note_cancelled(self, message: bytes) -> None:
        self.cancelled.append(message.decode())
        self.changed.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until `holds` becomes true."""
        async with asyncio.timeout(10):
            while not holds():
                self.changed.clear()
                await self.changed.wait()


def say(message: bytes, _call: CallContext) -> bytes:
    return message


async def say_slowly(message: bytes, _call: CallContext) -> bytes:
    await asyncio.sleep(0)
    return message


def refuse(_message: bytes, _call: CallContext) -> bytes:
    raise StatusError(
        StatusCode.INVALID_ARGUMENT, "größer als 100%", metadata=(("grpc-retry-pushback-ms", "250"),)
    )


def crash(_message: bytes, _call: CallContext) -> bytes:
    raise RuntimeError("a secret of ours")


def say_trailers(message: bytes, call: CallContext) -> bytes:
    call.add_trailing_metadata("x-cost", "12")
    call.add_trailing_metadata("x-trace-bin", b"\0\xff")
    return message


def say_metadata(_message: bytes, call: CallContext) -> bytes:
    return repr((dict(call.metadata), dict(call.binary_metadata))).encode()


HANDLERS: Mapping[str, Handler] = {
    "/test.Echo/Say": say,
    "/test.Echo/SaySlowly": say_slowly,
    "/test.Echo/Refuse": refuse,
    "/test.Echo/Crash": crash,
    "/test.Echo/SayTrailers": say_trailers,
    "/test.Echo/SayMetadata": say_metadata,
}


async def chat(call: StreamingCall) -> None:
    """Every message comes back; `refuse` and `crash` end the call."""
    while (message := await call.receive()) is not None:
        if message == b"refuse":
            raise StatusError(StatusCode.NOT_FOUND, "not here", metadata=(("x-why", "asked"),))
        if message == b"crash":
            raise RuntimeError("a secret of ours")
        await call.send(message)


async def count(call: StreamingCall) -> None:
    """As many messages as the first one says, of a kilobyte each."""
    for number in range(int(await call.receive() or b"0")):
        await call.send(b"%1024d" % number)


@pytest.fixture
async def desk() -> Desk:
    return Desk()


@pytest.fixture
async def start(desk: Desk) -> AsyncIterator[Start]:
    """Starts servers that are closed behind the test."""
    async with AsyncExitStack() as stack:

        async def run(*, limits: Limits | None = None, **options: Any) -> UnaryServer:
            handlers = {**HANDLERS, "/test.Echo/Hold": desk.hold, "/test.Echo/Wait": desk.wait}
            streaming = {"/test.Echo/Chat": chat, "/test.Echo/Count": count, "/test.Echo/Watch": desk.watch}
            server = UnaryServer(handlers, streaming=streaming, limits=limits)
            stack.push_async_callback(server.close)
            await server.start(**options)
            return server

        yield run


@pytest.fixture
async def server(start: Start) -> UnaryServer:
    return await start()


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Opens greeted connections that are closed behind the test."""
    async with AsyncExitStack() as stack:

        async def run(server: UnaryServer, settings: dict[int, int] | None = None, **options: Any) -> Peer:
            peer = await Peer.greet(server.ports[0], settings, **options)
            stack.push_async_callback(peer.close)
            return peer

        yield run


@pytest.fixture
async def peer(server: UnaryServer, connect: Connect) -> Peer:
    return await connect(server)


@pytest.fixture(autouse=True)
def no_crash_is_logged(caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a peer does, no exception may reach the event loop; a test that wants one says `crashes`."""
    yield
    if "crashes" not in request.fixturenames:
        assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.fixture
def crashes() -> None:
    """Requested by tests in which a handler fails on purpose."""
