"""The server's side of one connection without sockets: fed by hand, on a transport that only counts."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from serving.http2 import LATER, CallContext, Limits, StatusError, StreamingCall
from serving.http2.codes import StatusCode
from serving.http2.protocol import ServerProtocol
from serving.http2.service import Service, share

LIMITS = Limits(max_message_bytes=100_000, receive_budget_bytes=300_000, max_concurrent_streams=8)


class CountingTransport(asyncio.Transport):
    """Keeps what is written until it is closed; says no more than a socket would."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.write_count = 0
        self.is_read = True
        self._pauses: dict[int, Callable[[], None]] = {}
        self.is_closed = False

    def write(self, data: Any) -> None:
        assert not self.is_closed, "nothing is written behind the end"
        self.written += data
        self.write_count += 1
        pause = self._pauses.pop(self.write_count, None)
        if pause is not None:
            pause()

    def pause_after(self, writes: int, pause: Callable[[], None]) -> None:
        """Call `pause` once so many more writes have been made, as a full socket does."""
        self._pauses[self.write_count + writes] = pause

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True


class Rig:
    """A server's side and its event loop, driven by hand."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.held: list[CallContext] = []
        handlers = {"/test.Echo/Say": self._say, "/test.Echo/Hold": self._hold, "/test.Echo/Wait": self._wait}
        self.service: Service = share(self.loop, handlers, {"/test.Echo/Chat": self._chat}, LIMITS)
        self.transport = CountingTransport()
        self.protocol = ServerProtocol(self.service)
        self.protocol.connection_made(self.transport)

    def feed(self, octets: bytes, cuts: list[int]) -> None:
        bounds = [0, *sorted({cut % (len(octets) + 1) for cut in cuts}), len(octets)]
        for begin, end in itertools.pairwise(bounds):
            if begin < end and not self.transport.is_closed:
                self.protocol.data_received(octets[begin:end])
            self.turn()

    def turn(self) -> None:
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()

    def lose(self) -> None:
        self.transport.is_closed = True
        self.protocol.connection_lost(None)
        for _ in range(3):
            self.turn()

    @staticmethod
    def _say(message: bytes, _call: CallContext) -> bytes:
        if message[:1] == b"!":
            raise StatusError(StatusCode.INVALID_ARGUMENT, message.decode("latin-1"))
        return message

    def _hold(self, _message: bytes, call: CallContext) -> Any:
        self.held.append(call)
        return LATER

    @staticmethod
    async def _chat(call: StreamingCall) -> None:
        while (message := await call.receive()) is not None:
            await call.send(message)

    async def _wait(self, message: bytes, _call: CallContext) -> bytes:
        await asyncio.sleep(0)
        return message


@contextlib.contextmanager
def rigged() -> Iterator[Rig]:
    rig = Rig()
    try:
        yield rig
    finally:
        rig.lose()
        rig.loop.close()
