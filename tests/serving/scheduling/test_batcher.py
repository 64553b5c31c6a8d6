"""The batcher on a running loop; models are functions that a test can hold up."""

import asyncio
import random
import threading
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from serving.errors import InvalidRequest, ModelError, Overloaded
from serving.scheduling import Batcher, Lane, QueueLimits
from serving.scheduling.batcher import MOST_TURNS
from serving.tensors.dtypes import Array
from tests.serving.scheduling.tasks import make_lane, make_task


class Model:
    """Doubles; remembers its batches; can be held up."""

    def __init__(self) -> None:
        self.batches: list[list[float]] = []
        self.may_run = threading.Event()
        self.may_run.set()
        self.started = threading.Event()

    def __call__(self, inputs: Sequence[Array]) -> list[Array]:
        self.started.set()
        assert self.may_run.wait(10)
        (x,) = inputs
        self.batches.append(x.tolist())
        if (x < 0).any():
            raise InvalidRequest("negative")
        if (x == 666).any():
            raise RuntimeError("a defect")
        return [x * 2]


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
async def batcher() -> "Iterator[Batcher]":
    made = Batcher(QueueLimits(), max_rows=8, workers=1, observe=lambda *_: None)
    yield made  # type: ignore[misc]
    made.close()


def ask(batcher: Batcher, lane: Lane, *values: float) -> "asyncio.Future[list[Array]]":
    task = make_task(lane, len(values), values=values)
    batcher.submit([task])
    return task.done


async def answers(*futures: "asyncio.Future[list[Array]]") -> list[object]:
    results = await asyncio.wait_for(asyncio.gather(*futures, return_exceptions=True), 10)
    return [result if isinstance(result, BaseException) else result[0].tolist() for result in results]


async def test_what_arrives_in_one_turn_is_one_call(batcher: Batcher, model: Model) -> None:
    lane = make_lane(run=model)
    assert await answers(ask(batcher, lane, 1), ask(batcher, lane, 2, 3)) == [[2], [4, 6]]
    assert model.batches == [[1, 2, 3]]


async def test_what_arrives_while_the_model_runs_is_the_next_call(batcher: Batcher, model: Model) -> None:
    lane = make_lane(run=model)
    model.may_run.clear()
    first = ask(batcher, lane, 1)
    await asyncio.to_thread(model.started.wait)
    later = [ask(batcher, lane, value) for value in (2, 3, 4)]
    model.may_run.set()
    assert await answers(first, *later) == [[2], [4], [6], [8]]
    assert model.batches == [[1], [2, 3, 4]]


async def test_who_comes_turn_by_turn_after_a_crowd_travels_together(batcher: Batcher, model: Model) -> None:
    lane = make_lane(run=model)
    await answers(*[ask(batcher, lane, value) for value in (1, 2, 3)])
    first = ask(batcher, lane, 4)
    await asyncio.sleep(0)
    second = ask(batcher, lane, 5)
    assert await answers(first, second) == [[8], [10]]
    assert model.batches == [[1, 2, 3], [4, 5]]


async def test_a_stream_of_company_holds_nobody_up_for_long(model: Model) -> None:
    batcher = Batcher(QueueLimits(), max_rows=64, workers=1, observe=lambda *_: None)
    lane = make_lane(run=model)
    await answers(*[ask(batcher, lane, value) for value in range(64)])
    stream = []
    for value in range(3 * MOST_TURNS):
        stream.append(ask(batcher, lane, value))
        await asyncio.sleep(0)
    await answers(*stream)
    assert 1 < len(model.batches[1]) <= MOST_TURNS + 1
    batcher.close()


async def test_a_call_has_at_most_the_rows_that_are_set(batcher: Batcher, model: Model) -> None:
    lane = make_lane(run=model)
    futures = [ask(batcher, lane, *range(number, number + 3)) for number in range(0, 30, 3)]
    assert await answers(*futures) == [[2.0 * (number + k) for k in range(3)] for number in range(0, 30, 3)]
    assert max(len(batch) for batch in model.batches) == 6


async def test_answers_are_never_mixed_up(batcher: Batcher, model: Model) -> None:
    lanes = [make_lane(run=model) for _ in range(3)]
    chance = random.Random(7)
    asked, futures = [], []
    for _ in range(500):
        values = [chance.random() for _ in range(chance.randint(1, 5))]
        asked.append(np.float32(values) * 2)
        futures.append(ask(batcher, chance.choice(lanes), *values))
        if chance.random() < 0.1:
            await asyncio.sleep(0)
        if chance.random() < 0.1:
            futures[-1].cancel()
    for expected, future in zip(asked, futures, strict=True):
        (answer,) = await answers(future) if not future.cancelled() else (None,)
        assert answer is None or answer == expected.tolist()


async def test_a_cancelled_rider_leaves_its_mates_served(batcher: Batcher, model: Model) -> None:
    lane = make_lane(run=model)
    model.may_run.clear()
    blocker = ask(batcher, lane, 0)
    await asyncio.to_thread(model.started.wait)
    riders = [ask(batcher, lane, value) for value in (1, 2, 3)]
    riders[0].cancel()
    riders[2].cancel()
    model.may_run.set()
    assert await answers(blocker, riders[1]) == [[0], [4]]
    assert model.batches == [[0], [2]]


async def test_a_rider_cancelled_under_way_leaves_its_mates_served(batcher: Batcher, model: Model) -> None:
    lane = make_lane(run=model)
    model.may_run.clear()
    riders = [ask(batcher, lane, value) for value in (1, 2, 3)]
    await asyncio.to_thread(model.started.wait)
    riders[0].cancel()
    model.may_run.set()
    assert await answers(*riders[1:]) == [[4], [6]]


async def test_only_the_guilty_one_of_a_refused_call_fails(batcher: Batcher, model: Model) -> None:
    lane = make_lane(run=model)
    good, bad, other = await answers(ask(batcher, lane, 1), ask(batcher, lane, -1), ask(batcher, lane, 2))
    assert (good, other) == ([2], [4])
    assert isinstance(bad, InvalidRequest)


async def test_a_failed_call_fails_exactly_its_riders(batcher: Batcher, model: Model) -> None:
    lane = make_lane(run=model)
    failed = await answers(ask(batcher, lane, 1), ask(batcher, lane, 666))
    assert [type(error) for error in failed] == [ModelError, ModelError]
    assert failed[0] is not failed[1]
    assert await answers(ask(batcher, lane, 1)) == [[2]]


async def test_a_model_that_breaks_its_promise_of_rows_is_asked_one_by_one(batcher: Batcher) -> None:
    lane = make_lane(run=lambda inputs: [inputs[0].sum(keepdims=True)])
    assert await answers(ask(batcher, lane, 1, 1), ask(batcher, lane, 2, 2)) == [[2], [4]]
    assert not lane.joins_rows
    assert await answers(ask(batcher, lane, 3, 3)) == [[6]]


async def test_a_full_queue_refuses(model: Model) -> None:
    batcher = Batcher(QueueLimits(max_requests=1), max_rows=8, workers=1, observe=lambda *_: None)
    lane = make_lane(run=model)
    model.may_run.clear()
    running = ask(batcher, lane, 1)
    await asyncio.to_thread(model.started.wait)
    waiting = ask(batcher, lane, 2)
    with pytest.raises(Overloaded):
        ask(batcher, lane, 3)
    model.may_run.set()
    assert await answers(running, waiting) == [[2], [4]]
    batcher.close()


async def test_several_workers_run_at_once() -> None:
    batcher = Batcher(QueueLimits(), max_rows=1, workers=2, observe=lambda *_: None)
    together = threading.Barrier(2, timeout=10)

    def run(inputs: Sequence[Array]) -> list[Array]:
        together.wait()
        return list(inputs)

    lane = make_lane(run=run)
    assert await answers(ask(batcher, lane, 1), ask(batcher, lane, 2)) == [[1], [2]]
    batcher.close()


async def test_calls_are_observed(model: Model) -> None:
    seen: list[tuple[str, int]] = []
    batcher = Batcher(
        QueueLimits(),
        max_rows=8,
        workers=1,
        observe=lambda lane, rows, seconds: seen.append((lane.model, rows)),
    )
    await answers(ask(batcher, make_lane("m", run=model), 1, 2))
    assert seen == [("m", 2)]
    batcher.close()
