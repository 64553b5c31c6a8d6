"""Questions through the pipeline: slices, deadlines, and what cannot be joined."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from serving.backend import FakeBackend
from serving.backend.fake import signature, spec
from serving.calls import Call
from serving.desk import Question
from serving.errors import DeadlineExceeded, ModelError
from serving.metrics import Metrics
from serving.pipeline import Exchange, Pipeline
from serving.repository import Servable
from serving.settings import ServingSettings
from serving.tensors.dtypes import Array

ROWS = signature([spec("x", "float", (None,))], [spec("y", "float", (None,))])
WHOLE = signature([spec("x", "float", (1, 3))], [spec("y", "float", ())], name="whole")


class World:
    def __init__(self, **settings: Any) -> None:
        self.may_run = threading.Event()
        self.may_run.set()
        self.started = threading.Event()
        self.backend = FakeBackend([ROWS, WHOLE], self.answer)
        self.servable = Servable(name="m", version=1, session=self.backend)
        self.pipeline = Pipeline(ServingSettings(**{"max_batch_rows": 4} | settings), Metrics())

    def answer(self, inputs: Any) -> Any:
        self.started.set()
        assert self.may_run.wait(10)
        if 666 in inputs["x"]:
            raise RuntimeError("a defect")
        return {"y": inputs["x"].sum() if inputs["x"].ndim == 2 else inputs["x"] * 2}

    async def ask(self, values: Any, described: Any = ROWS, **call: Any) -> Array:
        question = Question(
            signature=described,
            inputs=[np.asarray(values, np.float32)],
            outputs=list(described.outputs.values()),
        )
        (answer,) = await self.pipeline.compute(self.servable, question, Call(**call))
        return answer


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    made.may_run.set()
    made.pipeline.close()


@pytest.mark.parametrize("rows", [0, 1, 3, 4, 5, 8, 9, 41])
async def test_a_question_of_any_length_is_answered_in_order(world: World, rows: int) -> None:
    assert (await world.ask(range(rows))).tolist() == [2.0 * number for number in range(rows)]
    assert max(len(call["x"]) for call in world.backend.calls) <= 4


async def test_a_small_question_gets_in_between_the_slices_of_a_long_one(world: World) -> None:
    world.may_run.clear()
    first = asyncio.create_task(world.ask([0]))
    await asyncio.to_thread(world.started.wait)
    long = asyncio.create_task(world.ask(range(40)))
    await asyncio.sleep(0)
    small = asyncio.create_task(world.ask([1]))
    await asyncio.sleep(0)
    world.may_run.set()
    await asyncio.gather(first, long, small)
    order = [call["x"].tolist() for call in world.backend.calls]
    assert order.index(next(batch for batch in order if 1.0 in batch and batch[0] == 1.0)) == 1


async def test_a_signature_without_rows_is_run_as_it_is(world: World) -> None:
    answers = await asyncio.gather(*[world.ask([[1, 2, number]], WHOLE) for number in range(5)])
    assert [float(answer) for answer in answers] == [3.0 + number for number in range(5)]
    assert len(world.backend.calls) == 5


async def test_batching_can_be_switched_off() -> None:
    world = World(enable_batching=False)
    await asyncio.gather(*[world.ask([number]) for number in range(5)])
    assert len(world.backend.calls) == 5
    world.pipeline.close()


async def test_riders_of_one_call_get_their_own_rows_and_share_what_is_made_of_all(world: World) -> None:
    made: list[list[float]] = []

    def recipe(outputs: Any) -> list[float]:
        made.append(outputs[0].tolist())
        return made[-1]

    first, second = await asyncio.gather(*[begin(world, [1, 2]), begin(world, [3])])
    assert [share[0].tolist() for share in (first, second)] == [[2, 4], [6]]
    assert [share.joined.make(recipe)[share.start : share.end] for share in (first, second)] == [[2, 4], [6]]
    assert made == [[2, 4, 6]]


async def test_a_rider_that_cannot_write_its_answer_leaves_its_mates_served(world: World) -> None:
    answers = await asyncio.gather(begin(world, [1], fails=True), begin(world, [2]), return_exceptions=True)
    assert isinstance(answers[0], ZeroDivisionError)
    assert answers[1][0].tolist() == [4]  # type: ignore[index]


async def test_a_rider_that_went_away_is_not_run(world: World) -> None:
    world.may_run.clear()
    first = asyncio.create_task(world.ask([0]))
    await asyncio.to_thread(world.started.wait)
    gone = asyncio.create_task(begin(world, [1]))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    world.may_run.set()
    await first
    assert (await world.ask([2])).tolist() == [4]
    assert [call["x"].tolist() for call in world.backend.calls] == [[0], [2]]


async def begin(world: World, values: list[float], *, fails: bool = False) -> Any:
    """Like `World.ask`, through a whole exchange: gives what its renderer was given."""
    shares = []

    def parse() -> Question:
        return Question(signature=ROWS, inputs=[np.asarray(values, np.float32)], outputs=ROWS.all_outputs)

    def render(_question: Question, outputs: Any) -> bytes:
        shares.append(outputs)
        return b"%d" % (1 // (not fails))

    exchange = Exchange(
        servable=world.servable, call=Call(), kind="test", message=b"", parse=parse, render=render
    )
    await world.pipeline.answer(exchange)
    return shares[0]


async def test_an_asker_is_told_when_its_deadline_passes(world: World) -> None:
    world.may_run.clear()
    with pytest.raises(DeadlineExceeded, match="before the model answered"):
        await world.ask([1], deadline=asyncio.get_running_loop().time() + 0.01)
    world.may_run.set()
    assert (await world.ask([2])).tolist() == [4]


async def test_one_failed_slice_fails_the_question_and_frees_the_rest(world: World) -> None:
    with pytest.raises(ModelError):
        await world.ask([666, *range(100)])
    assert (await world.ask([2])).tolist() == [4]
    assert len(world.backend.calls) < 20


async def test_a_cancelled_long_question_leaves_the_queue(world: World) -> None:
    world.may_run.clear()
    long = asyncio.create_task(world.ask(range(100)))
    await asyncio.to_thread(world.started.wait)
    long.cancel()
    await asyncio.sleep(0)
    world.may_run.set()
    assert (await world.ask([2])).tolist() == [4]
    assert len(world.backend.calls) == 2


async def test_inner_shapes_that_differ_are_not_joined() -> None:
    described = signature([spec("x", "float", (None, None))], [spec("y", "float", (None, None))])
    backend = FakeBackend([described], lambda inputs: {"y": inputs["x"]})
    servable = Servable(name="m", version=1, session=backend)
    pipeline = Pipeline(ServingSettings(), Metrics())
    shapes = [(1, 2), (1, 3), (2, 2)]
    questions = [
        Question(
            signature=described,
            inputs=[np.zeros(shape, np.float32)],
            outputs=list(described.outputs.values()),
        )
        for shape in shapes
    ]
    answers = await asyncio.gather(*[pipeline.compute(servable, question, Call()) for question in questions])
    assert [answer[0].shape for answer in answers] == shapes
    assert sorted(call["x"].shape for call in backend.calls) == [(1, 3), (3, 2)]
    pipeline.close()
