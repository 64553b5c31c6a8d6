"""Overload, cancellation and clients that go away, while every answer is counted: none lost, none mixed up.

The model stands still until it is told to run, so that who waits, who is refused and who went is decided by the test.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import numpy as np
import pytest

from serving.backend import FakeBackend
from serving.backend.fake import signature, spec
from serving.server import Server
from serving.settings import ServingSettings
from serving.tensors.dtypes import Array
from tests.serving.load import LOST, PREDICT, RIGHT, Tally, ask_grpc, question, rest_client
from tests.serving.processes import free_port
from tests.serving.worlds import write_versions

ROWS = signature([spec("x", "float", (None, 1))], [spec("y", "float", (None, 1))])
QUEUE, CLIENTS = 20, 60


class World:
    """A server whose model waits for `release`."""

    def __init__(
        self, server: Server, tally: Tally, started: threading.Event, release: threading.Event
    ) -> None:
        self.server = server
        self.tally = tally
        self._started = started
        self.release = release

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():  # noqa: ASYNC110 - the server tells a test nothing
            await asyncio.sleep(0)

    async def settle(self) -> None:
        """Until the server has seen what was sent: it is on the same loop, a turn behind the loopback."""
        for _ in range(100):
            await asyncio.sleep(0)

    async def until_running(self) -> None:
        """Until the model stands still in a call."""
        await self.until(self._started.is_set)

    async def until_waiting(self, requests: int) -> None:
        """Until so many requests wait for the model."""
        text = f'tfsp_queue_requests{{model="m"}} {float(requests)}\n'.encode()
        await self.until(lambda: text in self.server.metrics.page())

    async def until_outcomes(self, count: int) -> None:
        await self.until(lambda: self.tally.total >= count)


@asynccontextmanager
async def stand(folder: Path, **settings: Any) -> AsyncIterator[World]:
    started, release = threading.Event(), threading.Event()

    def model(inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        started.set()
        assert release.wait(30)
        return {"y": inputs["x"] * np.float32(2)}

    write_versions(folder / "m", 1)
    server = Server(
        ServingSettings(
            listen_address="127.0.0.1",
            port=free_port(),
            rest_api_port=free_port(),
            model_name="m",
            model_base_path=str(folder / "m"),
            enable_model_warmup=False,
            max_queue_requests=QUEUE,
            drain_seconds=0,
            **settings,
        ),
        load=lambda _folder: FakeBackend([ROWS], model),
    )
    try:
        await server.start()
        yield World(server, Tally(model="m", factor=2, offset=0), started, release)
    finally:
        release.set()
        await server.close()


@pytest.fixture(params=["rest", "http2", "grpcio"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Clients:
    """Many askers over one transport; each may be sent away while it waits."""

    def __init__(self, world: World, transport: str, stack: AsyncExitStack) -> None:
        self._world = world
        self._transport = transport
        self._stack = stack
        self.asking: list[asyncio.Task[None]] = []

    async def ask(self, count: int) -> None:
        """Begin to ask so many questions."""
        tally, server = self._world.tally, self._world.server
        if self._transport == "rest":
            clients = [
                await self._stack.enter_async_context(rest_client(tally, server.rest_port))
                for _ in range(count)
            ]
            self.asking += [asyncio.create_task(client.ask()) for client in clients]
            self._hang_up = [client.writer.transport.abort for client in clients]
        else:
            channel = await self._stack.enter_async_context(
                grpc.aio.insecure_channel(f"127.0.0.1:{server.grpc_port}")
            )
            self.asking += [asyncio.create_task(ask_grpc(tally, channel)) for _ in range(count)]
            self._hang_up = [task.cancel for task in self.asking[-count:]]

    def hang_up(self, number: int) -> None:
        """The client with this number goes away: it closes its connection, or cancels its call."""
        self._hang_up[number]()

    async def wait(self) -> None:
        await asyncio.gather(*self.asking, return_exceptions=True)


REFUSED = {"rest": "429", "http2": "RESOURCE_EXHAUSTED", "grpcio": "RESOURCE_EXHAUSTED"}


async def test_overload_refuses_what_has_no_place_and_answers_all_the_rest(
    tmp_path: Path, transport: str
) -> None:
    carrier = {} if transport == "rest" else {"grpc_transport": transport}
    async with stand(tmp_path, **carrier) as world, AsyncExitStack() as stack:
        clients = Clients(world, transport, stack)
        await clients.ask(1)
        await world.until_running()
        await clients.ask(CLIENTS)
        await world.until_outcomes(CLIENTS - QUEUE)  # the model holds one batch, the queue is full
        assert set(world.tally.outcomes) == {REFUSED[transport]}
        world.release.set()
        await clients.wait()
    assert world.tally.outcomes == {RIGHT: 1 + QUEUE, REFUSED[transport]: CLIENTS - QUEUE}


async def test_who_goes_away_leaves_the_others_answered(tmp_path: Path, transport: str) -> None:
    carrier = {} if transport == "rest" else {"grpc_transport": transport}
    async with stand(tmp_path, **carrier) as world, AsyncExitStack() as stack:
        clients = Clients(world, transport, stack)
        await clients.ask(QUEUE)
        for number in range(0, QUEUE, 3):
            clients.hang_up(number)
        gone = len(range(0, QUEUE, 3))
        world.release.set()
        await clients.wait()
        assert world.tally.outcomes[RIGHT] == QUEUE - gone
        assert set(world.tally.outcomes) <= {RIGHT, LOST}
        await world.until_waiting(0)
        await clients.ask(1)  # and the server goes on
        await clients.wait()
    assert world.tally.outcomes[RIGHT] == QUEUE - gone + 1


async def test_who_goes_away_while_waiting_leaves_its_place(tmp_path: Path) -> None:
    async with stand(tmp_path) as world, AsyncExitStack() as stack:
        running, waiting, later = (Clients(world, "rest", stack) for _ in range(3))
        await running.ask(1)
        await world.until_running()
        await waiting.ask(QUEUE)
        await world.until_waiting(QUEUE)
        for number in range(QUEUE):
            waiting.hang_up(number)
        await waiting.wait()
        await world.settle()
        await later.ask(QUEUE)
        await world.settle()
        world.release.set()
        await later.wait()
        await running.wait()
    assert world.tally.outcomes == {RIGHT: QUEUE + 1, LOST: QUEUE}


async def test_a_deadline_that_passes_in_the_queue_is_told_and_nobody_else_notices(tmp_path: Path) -> None:
    async with stand(tmp_path) as world, AsyncExitStack() as stack:
        address = f"127.0.0.1:{world.server.grpc_port}"
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(address))
        hasty = [channel.unary_unary(PREDICT)(question("m", -1), timeout=0.1) for _ in range(5)]
        patient = [asyncio.create_task(ask_grpc(world.tally, channel)) for _ in range(10)]
        for call in hasty:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call
            assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        world.release.set()
        await asyncio.gather(*patient)
    assert world.tally.outcomes == {RIGHT: 10}
