"""The open load asks both policies the same questions at the same moments."""

import asyncio
import random

import pytest

from bench.mixed import MAX_REQUESTS, arrivals, measure_latencies


def test_the_same_seed_gives_the_same_arrivals() -> None:
    assert arrivals(100, 5, random.Random(3)) == arrivals(100, 5, random.Random(3))


def test_arrivals_keep_rate_share_and_order() -> None:
    plan = arrivals(1000, 10, random.Random(3))
    due = [moment for moment, _size in plan]
    assert due == sorted(due)
    # Four standard deviations of a Poisson count of 10 000 and of a binomial share of 10 %.
    assert len(plan) == pytest.approx(10_000, abs=400)
    assert sum(size == "large" for _moment, size in plan) / len(plan) == pytest.approx(0.1, abs=0.012)


def test_arrivals_are_bounded_in_count() -> None:
    assert len(arrivals(1e6, 10, random.Random(3))) == MAX_REQUESTS


async def test_a_latency_counts_from_the_moment_it_was_due_and_not_from_when_the_line_was_free() -> None:
    line = asyncio.Lock()

    async def ask(_size: str) -> None:
        async with line:
            await asyncio.sleep(0.01)

    figures = await measure_latencies(ask, rate=500, seconds=0.2)
    # Some 100 requests of 10 ms in a line of one: the last waited for nearly all the others.
    assert figures["small_p99_ms"] > 20 * 10
    assert figures["failures"] == 0
