"""A real server with real TensorFlow under load: ended softly, ended hard, and asked tens of thousands of times."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import grpc
import grpc.aio
import pytest

from tests.serving.load import LOST, RIGHT, WRONG, Tally, ask_grpc, rest_client
from tests.serving.processes import Process, serving

pytestmark = pytest.mark.tensorflow

CLIENTS = 6
SOAK_REQUESTS, WARM_REQUESTS = 30_000, 6_000
GROWTH_BYTES = 8 << 20
"""What a process may have more after the soak than after its first fifth: heaps settle, leaks do not."""


@pytest.fixture(params=["http2", "grpcio"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def flags(models: Path, *more: str) -> list[str]:
    return ["--model_name=half_plus_two", f"--model_base_path={models / 'half_plus_two'}", *more]


def new_tally() -> Tally:
    return Tally(model="half_plus_two", factor=0.5, offset=3)


class Load:
    """Clients of both transports that ask until they are told to stop, or the server is gone."""

    def __init__(self, server: Process, tally: Tally) -> None:
        self._server = server
        self._tally = tally
        self.is_over = False

    async def run_rest(self) -> None:
        while not self.is_over:
            try:
                async with rest_client(self._tally, self._server.rest_port) as client:
                    while not self.is_over and not client.is_closed:
                        await client.ask()
            except ConnectionRefusedError:
                return

    async def run_grpc(self, channel: grpc.aio.Channel) -> None:
        while not self.is_over and self._server.process.poll() is None:
            await ask_grpc(self._tally, channel)


@asynccontextmanager
async def load(server: Process, tally: Tally) -> AsyncIterator[Load]:
    running = Load(server, tally)
    async with AsyncExitStack() as stack:
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{server.grpc_port}"))
        tasks = [asyncio.create_task(running.run_rest()) for _ in range(CLIENTS)]
        tasks += [asyncio.create_task(running.run_grpc(channel)) for _ in range(CLIENTS)]
        try:
            yield running
        finally:
            running.is_over = True
            await asyncio.gather(*tasks)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - another process tells nothing
        await asyncio.sleep(0.001)


async def test_sigterm_under_load_fails_no_request_of_either_transport(models: Path, transport: str) -> None:
    tally = new_tally()
    with serving(*flags(models, "--drain_seconds=20", f"--grpc_transport={transport}")) as server:
        async with load(server, tally):
            await until(lambda: tally.total > 200)
            server.process.send_signal(signal.SIGTERM)
            while (await asyncio.to_thread(server.get, "/readyz"))[0] == 200:
                pass
            # Balancers hear of it a little later; until then everything is answered as before.
            seen = tally.total
            await until(lambda: tally.total > seen + 200)
        assert set(tally.outcomes) == {RIGHT}, tally.outcomes
        assert await asyncio.to_thread(server.end, signal.SIGTERM) == 0  # a second signal ends the drain


async def test_a_killed_server_answers_right_or_not_at_all(models: Path, transport: str) -> None:
    tally = new_tally()
    with serving(*flags(models, f"--grpc_transport={transport}")) as server:
        async with load(server, tally):
            await until(lambda: tally.total > 200)
            server.process.kill()
            await asyncio.to_thread(server.process.wait)
        assert set(tally.outcomes) <= {RIGHT, LOST, "UNAVAILABLE"}, tally.outcomes
        assert tally.outcomes[RIGHT] > 200 - 2 * CLIENTS


def resident_bytes(server: Process) -> int:
    pages = Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]
    return int(pages) * 4096


async def soak(server: Process, tally: Tally, *, requests: int) -> None:
    """Ask so many questions: most are good, some are refused, some clients leave before the answer."""
    before = tally.total
    async with AsyncExitStack() as stack:
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{server.grpc_port}"))

        async def ask_over_rest() -> None:
            while tally.total - before < requests:
                async with rest_client(tally, server.rest_port) as client:
                    for _ in range(50):
                        await client.ask()
                    # Half a request, and gone.
                    client.writer.write(
                        b"POST /v1/models/nope:predict HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{"
                    )

        async def ask_over_grpc() -> None:
            while tally.total - before < requests:
                for _ in range(20):
                    await ask_grpc(tally, channel)
                impatient = asyncio.create_task(ask_grpc(tally, channel))
                await asyncio.sleep(0)
                impatient.cancel()
                await asyncio.wait([impatient])

        await asyncio.gather(*[ask_over_rest() for _ in range(CLIENTS)], *[ask_over_grpc() for _ in range(2)])


@pytest.mark.timeout(300)
async def test_tens_of_thousands_of_requests_leave_memory_flat(models: Path) -> None:
    tally = new_tally()
    settled = [
        "--output_cache_bytes=1000000",
        "--accuracy_start=0",
    ]  # a small cache, soon full and turned over
    with serving(*flags(models, *settled)) as server:
        await soak(server, tally, requests=WARM_REQUESTS)
        warm = resident_bytes(server)
        await soak(server, tally, requests=SOAK_REQUESTS - WARM_REQUESTS)
        grown = resident_bytes(server) - warm
    assert tally.outcomes[WRONG] == 0
    assert tally.outcomes[RIGHT] >= SOAK_REQUESTS
    assert set(tally.outcomes) == {RIGHT}
    assert grown < GROWTH_BYTES, f"{grown / 1e6:.1f} MB more after {tally.total} requests"


async def ask_as_strangers(server: Process, numbers: range) -> int:
    """Ask for models that there are not, each with a name and headers of its own; how many were refused."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.rest_port)
    refused = 0
    for start in numbers[::100]:
        heads = [
            f"POST /v1/models/stranger-{number}:predict HTTP/1.1\r\nhost: x\r\nx-tenant: t{number}\r\n"
            f"x-made-up: {'x' * (number % 700)}\r\ncontent-length: 2\r\n\r\n{{}}"
            for number in range(start, start + 100)
        ]
        writer.write("".join(heads).encode())
        for _ in heads:
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.partition(b"content-length: ")[2]))
            refused += head.startswith(b"HTTP/1.1 404 ")
    writer.close()
    return refused


@pytest.mark.timeout(300)
async def test_a_hundred_thousand_made_up_names_leave_memory_and_metrics_flat(models: Path) -> None:
    with serving(*flags(models)) as server:
        assert await ask_as_strangers(server, range(20_000)) == 20_000
        warm = resident_bytes(server)
        assert await ask_as_strangers(server, range(20_000, 100_000)) == 80_000
        grown = resident_bytes(server) - warm
        _, page = await asyncio.to_thread(server.get, "/metrics")
    series = [line for line in page.decode().splitlines() if line.startswith("tfsp_requests_total")]
    assert series == [
        'tfsp_requests_total{code="404",method="predict",model="other",transport="rest"} 100000.0'
    ]
    assert grown < GROWTH_BYTES, f"{grown / 1e6:.1f} MB more"
