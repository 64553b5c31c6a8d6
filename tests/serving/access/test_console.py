"""The console of a guarded server: its page is for everybody, what it shows and asks for those whom the access file lets."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving.server import Server
from tests.serving.access.worlds import bearer, identity, serve, write_access
from tests.serving.processes import free_port

PREDICT = "/v1/models/double:predict"
BODY = {"instances": [[1, 2]]}


@asynccontextmanager
async def guarded(folder: Path, **settings: Any) -> AsyncIterator[Server]:
    access = write_access(
        folder / "access.json",
        identity("operator", "op", models={"*": ["infer", "describe"]}, server=["observe"]),
        identity("shop", "shop", models={"double": ["infer"]}),
    )
    async with serve(folder, access_file=str(access), console_port=free_port(), **settings) as served:
        yield served


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with guarded(tmp_path) as served:
        yield served


async def ask(server: Server, path: str, token: str = "", body: Any = None, **headers: str) -> httpx.Response:
    address = f"http://127.0.0.1:{server.settings.console_port}"
    async with httpx.AsyncClient(timeout=10) as client:
        sent = bearer(token) | {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.request(
            "GET" if body is None else "POST", address + path, json=body, headers=sent
        )


@pytest.mark.parametrize("path", ["/", "/page/main.js", "/page/identity.js", "/page/style.css"])
async def test_everybody_sees_where_to_log_in(server: Server, path: str) -> None:
    assert (await ask(server, path)).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "token", "status"),
    [
        pytest.param("/state.json", None, "", 401, id="state, nobody"),
        pytest.param("/state.json", None, "wrong", 401, id="state, a wrong token"),
        pytest.param("/state.json", None, "shop", 403, id="state, who may only ask"),
        pytest.param("/state.json", None, "op", 200, id="state, an observer"),
        pytest.param(PREDICT, BODY, "", 401, id="question, nobody"),
        pytest.param(PREDICT, BODY, "shop", 200, id="question, who may ask"),
        pytest.param("/v1/models/other:predict", BODY, "shop", 403, id="question to another model"),
        pytest.param("/v1/models/double/docs", None, "shop", 403, id="description, who may only ask"),
        pytest.param("/v1/models/double/docs", None, "op", 200, id="description"),
        pytest.param("/V1/models/double/docs", None, "", 401, id="no way around by capitals"),
        pytest.param("//state.json", None, "", 401, id="no way around by slashes"),
        pytest.param("/page/../state.json", None, "", 401, id="no way around by dots"),
        pytest.param("/metrics", None, "", 401, id="nothing else without a name"),
    ],
)
async def test_what_is_shown_and_asked_needs_an_identity_that_may(
    server: Server, path: str, body: Any, token: str, status: int
) -> None:
    assert (await ask(server, path, token, body)).status_code == status


async def test_an_answer_that_is_kept_is_not_for_everybody(server: Server) -> None:
    for _ in range(2):
        assert (await ask(server, PREDICT, "shop", BODY)).status_code == 200
    assert (await ask(server, PREDICT, "", BODY)).status_code == 401


async def test_another_sites_page_cannot_ask_even_with_a_token(server: Server) -> None:
    response = await ask(server, PREDICT, "op", BODY, sec_fetch_site="cross-site", sec_fetch_mode="cors")
    assert (response.status_code, "its own page only" in response.text) == (403, True)


async def test_its_questions_are_logged_by_name_and_its_looking_is_not(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    async with guarded(tmp_path, access_log=str(log)) as server:
        for path, body in (("/", None), ("/state.json", None), (PREDICT, BODY)):
            await ask(server, path, "op", body)
        await ask(server, PREDICT, "", BODY)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["path"], line["code"], line.get("caller")) for line in lines] == [
        ("/v1/models/{model}:predict", 200, "operator"),
        ("/v1/models/{model}:predict", 401, None),
    ]
