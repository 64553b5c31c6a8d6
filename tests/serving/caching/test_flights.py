import asyncio
from collections.abc import Awaitable, Callable

import pytest

from serving.caching import Flights
from serving.errors import DeadlineExceeded, ModelError

KEY = (1, "rest predict", b"q")


class Computation:
    """Counts its runs; each waits until it is let go."""

    def __init__(self, *, fails: int = 0) -> None:
        self.runs = 0
        self.may_end = asyncio.Event()
        self._fails = fails

    async def __call__(self) -> bytes:
        self.runs += 1
        run = self.runs
        await self.may_end.wait()
        if run <= self._fails:
            raise ModelError(f"run {run}")
        return b"answer %d" % run


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def ask(flights: Flights, compute: Callable[[], Awaitable[bytes]], **more: float) -> "asyncio.Task[bytes]":
    return asyncio.create_task(flights.share(KEY, compute, more.get("deadline")))


async def test_equal_questions_at_the_same_time_are_computed_once() -> None:
    flights, compute = Flights(), Computation()
    askers = [ask(flights, compute) for _ in range(10)]
    await settle()
    compute.may_end.set()
    assert await asyncio.gather(*askers) == [b"answer 1"] * 10
    assert (compute.runs, flights.followers) == (1, 9)


async def test_different_questions_do_not_wait_for_each_other() -> None:
    flights, compute = Flights(), Computation()
    first = ask(flights, compute)
    second = asyncio.create_task(flights.share((1, "rest predict", b"other"), compute, None))
    await settle()
    compute.may_end.set()
    assert {await first, await second} == {b"answer 1", b"answer 2"}


async def test_after_the_flight_the_next_asker_computes_again() -> None:
    flights, compute = Flights(), Computation()
    compute.may_end.set()
    assert [await ask(flights, compute), await ask(flights, compute)] == [b"answer 1", b"answer 2"]


async def test_a_leader_that_goes_away_strands_nobody() -> None:
    flights, compute = Flights(), Computation()
    leader, *followers = [ask(flights, compute) for _ in range(4)]
    await settle()
    leader.cancel()
    await settle()
    compute.may_end.set()
    assert await asyncio.gather(*followers) == [b"answer 2"] * 3
    assert compute.runs == 2


async def test_a_follower_that_goes_away_disturbs_nobody() -> None:
    flights, compute = Flights(), Computation()
    leader, follower, other = [ask(flights, compute) for _ in range(3)]
    await settle()
    follower.cancel()
    await settle()
    compute.may_end.set()
    assert [await leader, await other] == [b"answer 1"] * 2


async def test_an_error_is_the_leaders_own() -> None:
    flights, compute = Flights(), Computation(fails=1)
    leader, follower = ask(flights, compute), ask(flights, compute)
    await settle()
    compute.may_end.set()
    with pytest.raises(ModelError, match="run 1"):
        await leader
    assert await follower == b"answer 2"


async def test_a_follower_has_its_own_deadline() -> None:
    flights, compute = Flights(), Computation()
    leader = ask(flights, compute)
    follower = ask(flights, compute, deadline=asyncio.get_running_loop().time())
    with pytest.raises(DeadlineExceeded, match="while an equal question"):
        await follower
    compute.may_end.set()
    assert await leader == b"answer 1"
