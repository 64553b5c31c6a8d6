import json
from pathlib import Path

import pytest

from serving.http1 import Request, Response
from serving.metrics import Metrics
from serving.monitoring import Readiness, probe_handler, probe_routes
from serving.repository import Repository
from tests.serving.worlds import double_repository


async def get(readiness: Readiness, path: str, method: str = "GET") -> Response:
    handle = probe_handler(probe_routes(readiness, Metrics(), lambda: {"models": {}}))
    return await handle(Request(method=method, path=path, query="", headers={}, body=b""))


async def test_a_server_without_models_is_alive_but_not_ready() -> None:
    readiness = Readiness(repository=Repository(Metrics()))
    assert (await get(readiness, "/livez")).status == 200
    response = await get(readiness, "/readyz")
    assert (response.status, response.body) == (503, b"no model is configured\n")


async def test_a_server_whose_models_are_available_is_ready(tmp_path: Path) -> None:
    readiness = Readiness(repository=await double_repository(tmp_path))
    assert (await get(readiness, "/readyz")).status == 200


async def test_a_draining_server_is_alive_but_not_ready(tmp_path: Path) -> None:
    readiness = Readiness(repository=await double_repository(tmp_path), is_draining=True)
    assert (await get(readiness, "/livez")).status == 200
    response = await get(readiness, "/readyz")
    assert (response.status, response.body) == (503, b"the server is draining\n")


async def test_metrics_are_prometheus_text(tmp_path: Path) -> None:
    response = await get(Readiness(repository=await double_repository(tmp_path)), "/metrics")
    assert response.content_type.startswith("text/plain; version=0.0.4")
    assert b"tfsp_ready 1.0\n" in response.body


@pytest.mark.parametrize(("method", "path"), [("POST", "/livez"), ("GET", "/"), ("GET", "/livez/")])
async def test_anything_else_is_not_found(tmp_path: Path, method: str, path: str) -> None:
    readiness = Readiness(repository=await double_repository(tmp_path))
    assert (await get(readiness, path, method)).status == 404


async def test_the_status_page_is_json(tmp_path: Path) -> None:
    response = await get(Readiness(repository=await double_repository(tmp_path)), "/statusz")
    assert json.loads(response.body) == {"models": {}}
