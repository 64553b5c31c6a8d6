"""The connections to an upstream's REST port: kept open, the one used last is used next.

A request that finds none idle opens one, up to `MAX_CONNECTIONS`; more wait in order. While nothing can be
reached, requests fail at once, and who tries again is the next one after a pause that grows. A request is sent a
second time only when a kept connection turns out to be closed before a byte of the response: upstreams close
idle ones whenever they like, and what TensorFlow Serving is asked changes nothing there.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import Final

from serving.errors import DeadlineExceeded, Overloaded, ServingError, Unavailable
from serving.http1 import Response
from serving.upstream.addresses import Address
from serving.upstream.asking import Asking, Told
from serving.upstream.connection import BrokenResponse, UpstreamConnection
from serving.upstream.response_heads import ResponseHeads

MAX_CONNECTIONS: Final = 256
MAX_WAITING: Final = 1024
CONNECT_SECONDS: Final = 5.0
FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 0.05
"""How often deadlines are looked at: one timer for all requests."""


class Pool:
    """Requests to one upstream. Belongs to one event loop."""

    def __init__(self, address: Address, *, max_response_bytes: int) -> None:
        self._address = address
        self._max_response_bytes = max_response_bytes
        self._loop = asyncio.get_running_loop()
        self._heads = ResponseHeads()
        self._idle: list[UpstreamConnection] = []
        self._all: set[UpstreamConnection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._waiting: deque[Asking] = deque()
        self._under_way: set[Asking] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._pause_seconds = 0.0
        self._pause_ends_at = 0.0
        self._is_closed = False

    async def ask(self, head: bytes, body: bytes, *, deadline: float, is_head: bool = False) -> Response:
        """The upstream's response to one request.

        Raises Unavailable when the upstream cannot be reached or breaks off, DeadlineExceeded, Overloaded. When
        the caller is cancelled, so is the request: its connection is closed, which the upstream notices.
        """
        done: asyncio.Future[Response] = self._loop.create_future()

        def told(response: Response | None, error: ServingError | None) -> None:
            if done.done():
                return
            if response is not None:
                done.set_result(response)
            else:
                done.set_exception(error or Unavailable("the upstream server gave no answer"))

        cancel = self.begin(head, body, told, deadline=deadline, is_head=is_head)
        try:
            return await done
        finally:
            cancel()

    def begin(
        self, head: bytes, body: bytes, told: Told, *, deadline: float, is_head: bool = False
    ) -> Callable[[], None]:
        """What `ask` does, without a coroutine; `told` may be called at once. Returns what cancels the request."""
        asking = Asking(head, body, told, self._under_way.discard, deadline=deadline, is_head=is_head)
        self._under_way.add(asking)
        if self._timer is None:
            self._timer = self._loop.call_later(LOOK_SECONDS, self._look)
        self._start(asking)
        return asking.cancel

    async def close(self) -> None:
        """Close every connection; what is under way fails."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        for task in self._opening:
            task.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        self._fail_waiting(Unavailable("the server is going away"))
        for connection in list(self._all):
            connection.close()

    # -- connections call these

    def freed(self, connection: UpstreamConnection) -> None:
        """Its response is whole: it may serve another."""
        if connection.is_open:
            self._idle.append(connection)
        # In the next turn: this one is inside a parser of that connection.
        if self._waiting:
            self._loop.call_soon(self._move)

    def lost(self, connection: UpstreamConnection) -> None:
        self._all.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    # -- what happens to a request

    def _start(self, asking: Asking) -> None:
        connection = self._take_idle()
        if connection is not None:
            self._send(connection, asking)
        elif len(self._waiting) >= MAX_WAITING:
            asking.fail(
                Overloaded(f"expected at most {MAX_WAITING} requests to wait for the upstream server")
            )
        else:
            self._waiting.append(asking)
            self._move()

    def _move(self) -> None:
        """Let those who wait onto idle connections, and see that there are enough."""
        while self._waiting:
            if self._waiting[0].is_over:
                self._waiting.popleft()
                continue
            connection = self._take_idle()
            if connection is None:
                break
            self._send(connection, self._waiting.popleft())
        missing = len(self._waiting) - len(self._opening)
        for _ in range(min(missing, MAX_CONNECTIONS - len(self._all) - len(self._opening))):
            if not self._open():
                break

    def _open(self) -> bool:
        if self._is_closed or (self._loop.time() < self._pause_ends_at and not self._all):
            self._fail_waiting(self._unreachable("it could not be reached a moment ago"))
            return False
        task = self._loop.create_task(self._connect())
        self._opening.add(task)
        task.add_done_callback(self._opened)
        return True

    def _opened(self, task: "asyncio.Task[None]") -> None:
        self._opening.discard(task)
        self._move()

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                connection = await self._make_connection()
        except OSError as error:  # TimeoutError is one
            self._pause()
            self._fail_waiting(self._unreachable(str(error) or type(error).__name__))
            return
        self._pause_seconds = 0.0
        self._all.add(connection)
        self._idle.append(connection)

    async def _make_connection(self) -> UpstreamConnection:
        def make() -> UpstreamConnection:
            return UpstreamConnection(self, self._heads, max_response_bytes=self._max_response_bytes)

        address = self._address
        if address.path is not None:
            return (await self._loop.create_unix_connection(make, address.path))[1]
        return (await self._loop.create_connection(make, address.host, address.port))[1]

    def _take_idle(self) -> UpstreamConnection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
        return None

    def _send(self, connection: UpstreamConnection, asking: Asking) -> None:
        asking.connection = connection

        def done(response: Response | None, error: Exception | None) -> None:
            asking.connection = None
            if response is not None:
                asking.answer(response)
            elif connection.is_reused and not connection.has_heard and not asking.is_second_try:
                asking.is_second_try = True
                self._waiting.appendleft(asking)
                self._loop.call_soon(self._move)
            else:
                asking.fail(self._broken(error))

        connection.send(asking.head, asking.body, done, is_head=asking.is_head)

    def _look(self) -> None:
        now = self._loop.time()
        for asking in [asking for asking in self._under_way if asking.deadline <= now]:
            asking.fail(DeadlineExceeded(f"the upstream server at {self._address} did not answer in time"))
        self._timer = self._loop.call_later(LOOK_SECONDS, self._look) if self._under_way else None

    def _pause(self) -> None:
        grown = min(LONGEST_PAUSE_SECONDS, max(FIRST_PAUSE_SECONDS, 2 * self._pause_seconds))
        self._pause_seconds = grown
        jitter = random.uniform(0.8, 1.2)  # noqa: S311 - spreads servers, protects nothing
        self._pause_ends_at = self._loop.time() + grown * jitter

    def _fail_waiting(self, error: Unavailable) -> None:
        while self._waiting:
            self._waiting.popleft().fail(error)

    def _unreachable(self, reason: str) -> Unavailable:
        return Unavailable(f"the upstream server at {self._address} cannot be reached: {reason}")

    def _broken(self, error: Exception | None) -> Unavailable:
        reason = error if isinstance(error, BrokenResponse) else f"it broke off ({error})"
        return Unavailable(f"the upstream server at {self._address} gave no answer: {reason}")
