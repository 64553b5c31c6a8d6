"""An open load of small and large tasks, for the queue: requests come when they come, answered or not.

    python -m bench.mixed --port=P --small=FILE --large=FILE --seconds=S [--rate=R]

Without --rate it keeps 16 requests under way and prints the capacity: answers per second. With --rate it asks at random
moments of that rate (exponential gaps of a fixed seed, so both policies see the same arrivals) and prints the latencies,
each counted from the moment when the request should have left. A client that waits for answers before it asks again
would hide just the delay that is to be measured. Prints one JSON object.
"""

import argparse
import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import grpc.aio

from bench.doors import LARGEST_MESSAGE_BYTES, PREDICT
from bench.figures import percentile

SEED = 11
LARGE_SHARE = 0.1
UNDER_WAY = 16
CHANNELS = 4
DEADLINE_SECONDS = 60
MAX_REQUESTS = 20_000

Ask = Callable[[str], Awaitable[None]]


@dataclass(kw_only=True)
class Latencies:
    """Seconds from due to answered, by size of the task."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {"small": [], "large": []})
    failures: int = 0

    def figures(self) -> dict[str, float]:
        counted = {f"{size}_answers": float(len(each)) for size, each in self.seconds.items()}
        return counted | {
            f"{size}_p{percent}_ms": percentile(each, percent) * 1e3
            for size, each in self.seconds.items()
            for percent in (50, 99)
        }


def sizes(generator: random.Random) -> str:
    """The next task's size."""
    return "large" if generator.random() < LARGE_SHARE else "small"


def arrivals(rate: float, seconds: float, generator: random.Random) -> list[tuple[float, str]]:
    """When each request is due, from 0 on, and its size."""
    due = generator.expovariate(rate)
    plan: list[tuple[float, str]] = []
    while due < seconds and len(plan) < MAX_REQUESTS:
        plan.append((due, sizes(generator)))
        due += generator.expovariate(rate)
    return plan


async def measure_capacity(ask: Ask, seconds: float) -> dict[str, float]:
    """Answers per second when there is always something to do."""
    loop = asyncio.get_running_loop()
    generator, began, answered = random.Random(SEED), loop.time(), 0

    async def keep_asking() -> None:
        nonlocal answered
        while loop.time() - began < seconds and answered < MAX_REQUESTS:
            await ask(sizes(generator))
            answered += 1

    await asyncio.gather(*(keep_asking() for _ in range(UNDER_WAY)))
    return {"answers_per_second": answered / (loop.time() - began)}


async def measure_latencies(ask: Ask, rate: float, seconds: float) -> dict[str, float]:
    """Latencies at `rate` requests per second. Raises grpc.RpcError when more than 1 % fail."""
    loop = asyncio.get_running_loop()
    latencies, began = Latencies(), loop.time()

    async def ask_when_due(due: float, size: str) -> None:
        await asyncio.sleep(began + due - loop.time())
        try:
            await ask(size)
        except grpc.RpcError:
            latencies.failures += 1
            return
        latencies.seconds[size].append(loop.time() - began - due)

    plan = arrivals(rate, seconds, random.Random(SEED))
    await asyncio.gather(*(ask_when_due(due, size) for due, size in plan))
    return latencies.figures() | {"failures": float(latencies.failures)}


async def run(options: argparse.Namespace) -> dict[str, float]:
    messages = {"small": options.small.read_bytes(), "large": options.large.read_bytes()}
    limits = [
        ("grpc.max_receive_message_length", LARGEST_MESSAGE_BYTES),
        ("grpc.use_local_subchannel_pool", 1),
    ]
    channels = [
        grpc.aio.insecure_channel(f"127.0.0.1:{options.port}", options=limits) for _ in range(CHANNELS)
    ]
    calls = [channel.unary_unary(PREDICT, None, None) for channel in channels]
    turn = 0

    async def ask(size: str) -> None:
        nonlocal turn
        turn += 1
        await calls[turn % CHANNELS](messages[size], timeout=DEADLINE_SECONDS)

    try:
        for size in messages:
            await asyncio.gather(*(ask(size) for _ in range(CHANNELS)))
        if options.rate is None:
            return await measure_capacity(ask, options.seconds)
        return await measure_latencies(ask, options.rate, options.seconds)
    finally:
        await asyncio.gather(*(channel.close(None) for channel in channels))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--small", type=Path, required=True)
    parser.add_argument("--large", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--rate", type=float)
    print(json.dumps(asyncio.run(run(parser.parse_args()))))


if __name__ == "__main__":
    main()
