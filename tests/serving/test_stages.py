"""A question in two stages: texts are parsed to numbers, the network doubles them."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving.backend import FakeBackend
from serving.backend.fake import signature, spec
from serving.calls import Call
from serving.desk import Question
from serving.manifest import Manifest, read_manifest
from serving.metrics import Metrics
from serving.pipeline import Exchange, Pipeline
from serving.repository import Servable
from serving.settings import ServingSettings
from serving.tensors.dtypes import Array

ASK = signature([spec("text", "string", (None,))], [spec("y", "float", (None,))])
MARK = spec("preprocessed", "float", (None, 2))


def model(inputs: Mapping[str, Array]) -> Mapping[str, Array]:
    """Whole, or either half of it: a real session computes whatever it is bound to."""
    if "text" in inputs:
        numbers = np.array([[float(text), 1] for text in inputs["text"]], np.float32).reshape(-1, 2)
        return {"preprocessed": numbers, "y": numbers[:, 0] * 2}
    return {"y": inputs["preprocessed"][:, 0] * 2}


class World:
    def __init__(self, *, mark: Any = MARK, identity: str = "", **settings: Any) -> None:
        self.backends: list[FakeBackend] = []
        self._manifest = Manifest(preprocessed=mark, preprocessing_identity=identity)
        self.pipeline = Pipeline(ServingSettings(**{"input_cache_bytes": 100_000} | settings), Metrics())

    def load(self, version: int = 1) -> Servable:
        self.backends.append(FakeBackend([ASK], model))
        return Servable(name="m", version=version, session=self.backends[-1], manifest=self._manifest)

    async def ask(self, servable: Servable, *texts: bytes) -> list[float]:
        def parse() -> Question:
            return Question(
                signature=ASK, inputs=[np.array(texts, object)], outputs=list(ASK.outputs.values())
            )

        answer = await self.pipeline.answer(
            Exchange(
                servable=servable,
                call=Call(),
                kind="test",
                message=b" ".join(texts),
                parse=parse,
                render=lambda _question, outputs: json.dumps(outputs[0].tolist()).encode(),
            )
        )
        return json.loads(answer)  # type: ignore[no-any-return]

    @property
    def preprocessed(self) -> list[bytes]:
        return [
            text
            for backend in self.backends
            for call in backend.calls
            if "text" in call
            for text in call["text"]
        ]


async def test_what_was_preprocessed_is_not_preprocessed_again() -> None:
    world = World()
    servable = world.load()
    assert await world.ask(servable, b"1", b"2") == [2, 4]
    assert await world.ask(servable, b"3", b"1", b"2") == [6, 2, 4]
    assert world.preprocessed == [b"1", b"2", b"3"]
    world.pipeline.close()


async def test_rows_of_several_requests_are_joined_in_both_stages() -> None:
    world = World()
    servable = world.load()
    answers = await asyncio.gather(*[world.ask(servable, b"%d" % number) for number in range(8)])
    assert answers == [[2.0 * number] for number in range(8)]
    assert len(world.backends[0].calls) == 2
    world.pipeline.close()


@pytest.mark.parametrize(("identity", "shared"), [("sha256:1", True), ("", False)])
async def test_versions_share_only_what_their_exporter_says_is_the_same(identity: str, shared: bool) -> None:
    world = World(identity=identity)
    first, second = world.load(1), world.load(2)
    assert [await world.ask(servable, b"1") for servable in (first, second)] == [[2], [2]]
    assert len(world.preprocessed) == (1 if shared else 2)
    world.pipeline.close()


@pytest.mark.parametrize(
    "world",
    [
        {"mark": None},
        {"mark": spec("preprocessed", "float", (2,))},
        {"mark": spec("preprocessed", "float", None)},
        {"input_cache_bytes": 0},
    ],
    ids=str,
)
async def test_without_a_usable_mark_a_question_runs_whole(world: Any) -> None:
    made = World(**world)
    servable = made.load()
    assert await made.ask(servable, b"1") == [2]
    assert [list(call) for call in made.backends[0].calls] == [["text"]]
    made.pipeline.close()


async def test_a_load_that_ended_leaves_nothing_behind() -> None:
    world = World()
    servable = world.load()
    await world.ask(servable, b"1")
    world.pipeline.forget(servable)
    await world.ask(servable, b"1")
    assert world.preprocessed == [b"1", b"1"]
    world.pipeline.close()


def test_the_mark_is_read_from_the_manifest(tmp_path: Path) -> None:
    mark = {"tensor": "pixels:0", "dtype": "float32", "shape": [None, 224, 224, 3]}
    (tmp_path / "manifest.json").write_text(json.dumps({"accuracy": None, "extra": {"preprocessed": mark}}))
    read = read_manifest(tmp_path).preprocessed
    assert read is not None
    assert (read.tensor, str(read)) == ("pixels:0", "preprocessed: float[-1,224,224,3]")
