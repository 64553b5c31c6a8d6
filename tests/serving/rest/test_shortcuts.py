"""The short way of a request to predict: the same answers, counted alike, and nothing kept of a load that ended."""

import asyncio
import gc
import weakref
from pathlib import Path

import pytest

from serving.http1 import LATER, Answer, Head, Request, Response
from serving.metrics import Metrics
from serving.pipeline import Pipeline
from serving.repository import Repository
from serving.rest import RestApi
from serving.settings import ServingSettings
from tests.serving.worlds import double_repository

PATH = "/v1/models/double:predict"
BODY = b'{"instances": [[1, 2]]}'


class Carrier:
    """Keeps what was answered."""

    def __init__(self) -> None:
        self.answers: asyncio.Queue[Response | bytes | None] = asyncio.Queue()

    def finish(self, request: Request, response: Response | bytes | None) -> None:
        self.answers.put_nowait(response)


class World:
    async def open(self, folder: Path, **settings: float) -> "World":
        self.metrics = Metrics()
        self.repository: Repository = await double_repository(folder, metrics=self.metrics)
        chosen = ServingSettings(**{"accuracy_start": 0} | settings)  # type: ignore[arg-type]
        self.pipeline = Pipeline(chosen, self.metrics)
        self.api = RestApi(self.repository, self.pipeline, self.metrics, timeout_seconds=10, routes={})
        self.head = Head("POST", PATH, "", {}, len(BODY))
        self.carrier = Carrier()
        return self

    def request(self, body: bytes = BODY) -> Request:
        return Request("POST", PATH, "", {}, body, self.head, self.carrier)

    async def ask(self, body: bytes = BODY) -> Response | bytes | None:
        answer: Answer = self.api.answer(self.request(body))
        if answer is LATER:
            return await asyncio.wait_for(self.carrier.answers.get(), 10)
        assert isinstance(answer, (Response, bytes))
        return answer


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return await World().open(tmp_path)


async def test_an_answer_that_is_kept_is_there_at_once(world: World) -> None:
    assert await world.ask() == b'{"predictions":[[2.0,4.0]]}'
    assert world.api.answer(world.request()) == b'{"predictions":[[2.0,4.0]]}'


async def test_every_way_to_answer_is_counted(world: World) -> None:
    for body in (BODY, BODY, b"nonsense"):
        await world.ask(body)
    page = world.metrics.page().decode()
    labels = 'method="predict",model="double",transport="rest"'
    assert f'tfsp_requests_total{{code="200",{labels}}} 2.0' in page
    assert f'tfsp_requests_total{{code="400",{labels}}} 1.0' in page
    assert 'tfsp_output_cache_lookups_total{model="double",result="hit"} 1.0' in page


async def test_what_is_wrong_is_told_as_on_the_long_way(world: World) -> None:
    short = await world.ask(b'{"instances": [["a"]]}')
    long = await world.api.handle(world.request(b'{"instances": [["a"]]}'))
    assert short == long
    assert long.status == 400


async def test_an_asker_that_went_away_takes_no_seat(world: World) -> None:
    request = world.request()
    assert world.api.answer(request) is LATER
    request.cancel()
    assert await asyncio.wait_for(world.carrier.answers.get(), 10) is None


@pytest.mark.parametrize("cache_bytes", [0, 1 << 20])
async def test_requests_leave_nothing_to_the_garbage_collector(tmp_path: Path, cache_bytes: int) -> None:
    world = await World().open(tmp_path, output_cache_bytes=cache_bytes)
    bodies = [b'{"instances": [[%d, 2]]}' % number for number in range(50)]
    await world.ask(BODY)
    gc.collect()
    gc.disable()
    try:
        for body in bodies:
            await world.ask(body)
        assert gc.collect() < len(bodies)
    finally:
        gc.enable()


async def test_a_withdrawn_version_is_not_asked_and_not_held(world: World) -> None:
    await world.ask()
    servable = world.repository.withdraw("double", 3)
    world.pipeline.forget(servable)
    gone = weakref.ref(servable)
    del servable
    gc.collect()
    assert gone() is None
    response = await world.api.handle(world.request())
    assert response.status == 404
    answer = world.api.answer(world.request())
    assert asyncio.iscoroutine(answer)
    assert (await answer).status == 404
