"""Kept answers through the whole pipeline."""

import asyncio
import threading
from typing import Any

import numpy as np
import pytest

from serving.backend import FakeBackend
from serving.backend.fake import signature, spec
from serving.calls import Call
from serving.desk import Question
from serving.errors import ModelError
from serving.manifest import Manifest
from serving.metrics import Metrics
from serving.pipeline import Exchange, Pipeline
from serving.repository import Servable
from serving.settings import ServingSettings
from serving.tensors.dtypes import Array

ROWS = signature([spec("x", "float", (None,))], [spec("y", "float", (None,))])


class World:
    def __init__(self, **settings: Any) -> None:
        self.metrics = Metrics()
        self.pipeline = Pipeline(ServingSettings(**settings), self.metrics)
        self.may_run = threading.Event()
        self.may_run.set()
        self.fails = False

    def servable(self, version: int = 1, *, accuracy: float | None = 0.9, repeats: bool = True) -> Servable:
        backend = FakeBackend([ROWS], lambda inputs: self.answer(version, inputs))
        return Servable(
            name="m",
            version=version,
            session=backend,
            manifest=Manifest(accuracy=accuracy),
            is_deterministic=repeats,
        )

    def answer(self, version: int, inputs: Any) -> Any:
        assert self.may_run.wait(10)
        if self.fails:
            raise RuntimeError("a defect")
        return {"y": inputs["x"] * version}

    async def ask(self, servable: Servable, message: bytes, kind: str = "test") -> bytes:
        def parse() -> Question:
            values = np.array([float(message)], np.float32)
            return Question(signature=ROWS, inputs=[values], outputs=list(ROWS.outputs.values()))

        def render(_question: Question, outputs: list[Array]) -> bytes:
            return b"%g" % outputs[0][0]

        exchange = Exchange(
            servable=servable, call=Call(), kind=kind, message=message, parse=parse, render=render
        )
        return await self.pipeline.answer(exchange)


def runs(servable: Servable) -> int:
    assert isinstance(servable.session, FakeBackend)
    return len(servable.session.calls)


async def test_a_question_that_was_answered_is_not_computed_again() -> None:
    world = World()
    servable = world.servable(version=2)
    assert [await world.ask(servable, b"3") for _ in range(3)] == [b"6"] * 3
    assert runs(servable) == 1
    world.pipeline.close()


async def test_equal_questions_at_the_same_time_are_computed_once() -> None:
    world = World()
    servable = world.servable(version=2)
    assert await asyncio.gather(*[world.ask(servable, b"3") for _ in range(10)]) == [b"6"] * 10
    assert runs(servable) == 1
    world.pipeline.close()


async def test_a_new_version_never_serves_an_old_answer() -> None:
    world = World()
    old, new, reloaded = world.servable(2), world.servable(3), world.servable(2)
    assert [await world.ask(servable, b"3") for servable in (old, new, reloaded)] == [b"6", b"9", b"6"]
    assert [runs(servable) for servable in (old, new, reloaded)] == [1, 1, 1]
    world.pipeline.close()


async def test_the_same_bytes_of_another_kind_are_another_question() -> None:
    world = World()
    servable = world.servable()
    await world.ask(servable, b"3", kind="rest predict")
    await world.ask(servable, b"3", kind="grpc predict")
    assert runs(servable) == 2
    world.pipeline.close()


async def test_a_failure_is_never_kept() -> None:
    world = World()
    servable = world.servable(version=2)
    world.fails = True
    with pytest.raises(ModelError):
        await world.ask(servable, b"3")
    world.fails = False
    assert await world.ask(servable, b"3") == b"6"
    world.pipeline.close()


@pytest.mark.parametrize(
    ("settings", "servable", "state"),
    [
        pytest.param({"output_cache_bytes": 0}, {}, "off", id="no budget"),
        pytest.param({}, {"repeats": False}, "not_deterministic", id="noise"),
        pytest.param({}, {"accuracy": 0.79}, "below_start", id="immature"),
        pytest.param({"accuracy_stop": 0.85}, {}, "above_stop", id="past the window"),
        pytest.param({}, {"accuracy": None}, "accuracy_unknown", id="unmeasured"),
    ],
)
async def test_what_must_not_be_kept_is_computed_every_time(settings: Any, servable: Any, state: str) -> None:
    world = World(**settings)
    asked = world.servable(**servable)
    await asyncio.gather(*[world.ask(asked, b"3") for _ in range(2)])
    await world.ask(asked, b"3")
    assert sum(len(call["x"]) for call in asked.session.calls) == 3  # type: ignore[attr-defined]
    report: Any = world.pipeline.report(asked)["output_cache"]
    assert (report["state"], report["hits"], report["misses"]) == (state, 0, 0)
    assert (
        f'tfsp_output_cache_state{{model="m",state="{state}",version="1"}} 1.0'
        in world.metrics.page().decode()
    )
    world.pipeline.close()


async def test_a_load_that_ended_leaves_nothing_behind() -> None:
    world = World()
    servable = world.servable()
    await world.ask(servable, b"3")
    assert b"tfsp_output_cache_bytes 3" in world.metrics.page()
    world.pipeline.forget(servable)
    assert b"tfsp_output_cache_bytes 0.0" in world.metrics.page()
    assert b'state="caching"' not in world.metrics.page()
    world.pipeline.close()
