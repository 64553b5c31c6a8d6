"""The version that answered, told of an upstream: by itself, by the path, or not at all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from serving.http1 import HttpServer, Limits, Request, Response
from serving.metrics import Metrics
from serving.rest.errors import refusal
from serving.rest.versions import VERSION_HEADER
from serving.upstream.addresses import Address
from serving.upstream.pool import Pool
from serving.upstream.rest import RestPassage


@asynccontextmanager
async def passage(response: Response) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a passage to a server that always answers so."""

    async def answer(_request: Request) -> Response:
        return response

    upstream = HttpServer(answer, Limits(), refusal=refusal)
    await upstream.listen("127.0.0.1", 0)
    address = Address(host="127.0.0.1", port=upstream.port)
    pool = Pool(address, max_response_bytes=1 << 20)
    handler = RestPassage(
        pool,
        address,
        Metrics(),
        timeout_seconds=10,
        routes={},
        names=["double"],
        clock=asyncio.get_running_loop().time,
    )
    front = HttpServer(handler.handle, Limits(), refusal=refusal)
    await front.listen("127.0.0.1", 0)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{front.port}", timeout=10) as client:
            yield client
    finally:
        await front.close(grace_seconds=1)
        await pool.close()
        await upstream.close(grace_seconds=1)


@pytest.mark.parametrize(
    ("path", "headers", "version"),
    [
        pytest.param("/v1/models/double:predict", {VERSION_HEADER: "7"}, "7", id="said by the upstream"),
        pytest.param("/v1/models/double/versions/5:predict", {}, "5", id="named by the question"),
        pytest.param("/v1/models/double/versions/5:predict", {VERSION_HEADER: "7"}, "7", id="said and named"),
        pytest.param("/v1/models/double/versions/5/metadata", {}, "5", id="metadata"),
        pytest.param("/v1/models/double:predict", {}, None, id="unknown"),
        pytest.param("/v1/models/double/labels/stable:predict", {}, None, id="behind a label"),
        pytest.param("/v1/models/double/versions/5", {}, None, id="status"),
    ],
)
async def test_a_version_is_told_where_it_is_known(
    path: str, headers: dict[str, str], version: str | None
) -> None:
    response = Response(body=b"{}", headers=tuple(headers.items()))
    async with passage(response) as client:
        for _ in range(2):  # the second one's head is known
            assert (await client.post(path, json={})).headers.get(VERSION_HEADER) == version


@pytest.mark.parametrize("more", [{"status": 404}, {"content_type": "text/plain"}])
async def test_of_what_is_no_answer_in_json_nothing_is_claimed(more: dict[str, Any]) -> None:
    async with passage(Response(body=b"x", headers=(("x-own", "1"),), **more)) as client:
        response = await client.post("/v1/models/double/versions/5:predict", json={})
    assert VERSION_HEADER not in response.headers
    assert response.headers["x-own"] == "1"


async def test_the_headers_of_the_upstream_come_through_once() -> None:
    async with passage(Response(body=b"{}", headers=(("x-own", "1"), ("x-more", "2")))) as client:
        response = await client.post("/v1/models/double:predict", json={})
    assert [response.headers.get_list(name) for name in ("x-own", "x-more")] == [["1"], ["2"]]
