"""What a browser gets from the console's port, over a fake backend."""

import json
from pathlib import Path
from typing import Any

import pytest

from serving.console import open_site
from serving.http1 import Request, Response
from serving.metrics import Metrics
from serving.monitoring import Readiness
from serving.pipeline import Pipeline
from serving.rest import RestApi
from serving.settings import ServingSettings
from tests.serving.worlds import double_repository

PREDICT = "/v1/models/double:predict"
QUESTION = json.dumps({"instances": [[1, 2]]}).encode()


class World:
    async def open(self, folder: Path, settings: ServingSettings) -> "World":
        metrics = Metrics()
        self.repository = await double_repository(folder, metrics=metrics)
        self.pipeline = Pipeline(settings, metrics)
        api = RestApi(self.repository, self.pipeline, metrics, timeout_seconds=10, routes={})
        readiness = Readiness(repository=self.repository)
        self.site = open_site(settings, api.handle, self.pipeline, metrics, readiness)
        return self

    async def get(self, path: str, **headers: str) -> Response:
        return await self.ask("GET", path, b"", **headers)

    async def ask(self, method: str, path: str, body: bytes, **headers: str) -> Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.site.handle(Request(method=method, path=path, query="", headers=named, body=body))


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return await World().open(tmp_path, ServingSettings(accuracy_start=0))


async def test_the_page_and_all_that_it_names_is_there(world: World) -> None:
    page = (await world.get("/")).body.decode()
    for path in ("/page/main.js", "/page/style.css", "/page/icon.svg"):
        assert f'"{path}"' in page
        assert (await world.get(path)).status == 200


@pytest.mark.parametrize("path", ["/", "/page/main.js", "/state.json"])
async def test_every_file_forbids_what_the_page_does_not_need(world: World, path: str) -> None:
    headers = dict((await world.get(path)).headers)
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "://" not in policy
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/page/",
        "/page/..",
        "/page/../site.py",
        "/page/%2e%2e/site.py",
        "/metrics",
        "/statusz",
        "/v2",
        "/etc/passwd",
    ],
)
async def test_nothing_else_is_served(world: World, path: str) -> None:
    assert (await world.get(path)).status == 404


async def test_the_page_loads_nothing_from_elsewhere_and_makes_no_markup_from_text() -> None:
    for path in (Path(__file__).parents[3] / "serving/console/page").iterdir():
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "://" not in text, path.name
        for door in ("innerHTML", "insertAdjacentHTML", "document.write", "eval(", "import("):
            assert door not in text, path.name


async def test_a_repeated_question_says_that_its_answer_was_kept(world: World) -> None:
    marks = []
    for _ in range(2):
        response = await world.ask("POST", PREDICT, QUESTION)
        assert json.loads(response.body) == {"predictions": [[2.0, 4.0]]}
        marks.append(dict(response.headers))
    assert [mark["x-answer-kept"] for mark in marks] == ["no", "yes"]
    assert marks[0]["server-timing"].startswith("answer;dur=")


async def test_a_refused_question_keeps_its_status_and_reason(world: World) -> None:
    response = await world.ask("POST", PREDICT, b'{"instances": [["a"]]}')
    assert response.status == 400
    assert "error" in json.loads(response.body)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"sec_fetch_site": "same-origin", "sec_fetch_mode": "cors"}, 200),
        ({"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"}, 403),
        ({"sec_fetch_site": "same-site", "sec_fetch_mode": "cors"}, 403),
        ({"origin": "http://evil.example", "host": "127.0.0.1:8503"}, 403),
        ({"origin": "http://127.0.0.1:8503", "host": "127.0.0.1:8503"}, 200),
        ({"origin": "null", "host": "127.0.0.1:8503"}, 403),
    ],
    ids=[
        "curl",
        "own page",
        "another site",
        "a sibling",
        "older browser",
        "older browser, own page",
        "sandboxed",
    ],
)
async def test_another_sites_page_cannot_ask(world: World, headers: dict[str, str], status: int) -> None:
    assert (await world.ask("POST", PREDICT, QUESTION, **headers)).status == status


async def test_another_sites_page_can_link_here_but_not_read(world: World) -> None:
    assert (await world.get("/", sec_fetch_site="cross-site", sec_fetch_mode="navigate")).status == 200
    assert (await world.get("/state.json", sec_fetch_site="cross-site", sec_fetch_mode="cors")).status == 403


async def state(world: World) -> Any:
    return json.loads((await world.get("/state.json")).body)


async def test_the_state_names_versions_signatures_and_the_window(world: World) -> None:
    document = await state(world)
    (model,) = document["models"]
    (version,) = model["versions"]
    assert (model["name"], version["version"], version["state"]) == ("double", "3", "AVAILABLE")
    assert document["window"] == {"start": 0, "stop": None}
    named = {signature["name"]: signature for signature in version["signatures"]}
    assert named["serving_default"]["is_default"]
    assert named["pair"]["inputs"] == [
        {"name": "a", "dtype": "float", "shape": [None], "kind": "fraction"},
        {"name": "b", "dtype": "string", "shape": [None], "kind": "text"},
    ]
    assert version["output_cache"]["reason"]


async def test_the_state_counts_requests_batches_and_who_waits(world: World) -> None:
    await world.ask("POST", PREDICT, json.dumps({"instances": [[1, 2]] * 3}).encode())
    await world.ask("POST", PREDICT, b"{}")
    (model,) = (await state(world))["models"]
    assert model["requests"] == {"200": 1, "400": 1}
    assert model["batches"] == {"4": 1}
    assert model["versions"][0]["queue"]["by_class"] == {"high": 0, "normal": 0, "low": 0}
