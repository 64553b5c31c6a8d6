"""A request's id is the same in its line and in its answer, on every transport and whatever becomes of it."""

import json
import re
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from serving.access_log.identifiers import RequestIds
from serving.upstream import UpstreamServer
from tests.serving.access.worlds import PREDICT, Asked, ask_rest, identity, question, serve, write_access
from tests.serving.upstream.worlds import settings

PREDICT_PATH = "/v1/models/double:predict"
BODY = {"instances": [[1, 2]]}


async def call(server: Asked, message: bytes, *metadata: tuple[str, str]) -> tuple[grpc.StatusCode, Any]:
    """How a Predict ends, and the ids that come behind it."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        under_way = channel.unary_unary(PREDICT)(message, timeout=10, metadata=metadata)
        code, trailing = await under_way.code(), await under_way.trailing_metadata()
    return code, [value for name, value in trailing or () if name == "x-request-id"]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("transport", ["http2", "grpcio"])
async def test_the_id_of_a_call_comes_back_with_its_answer_and_with_its_failure(
    tmp_path: Path, transport: str
) -> None:
    path = tmp_path / "access.log"
    async with serve(tmp_path, access_log=str(path), grpc_transport=transport) as server:
        answered = await call(server, question("double"), ("x-request-id", "a-1"))
        kept = await call(server, question("double"), ("x-request-id", "a-2"))
        failed = await call(server, question("nope"), ("x-request-id", "a-3"))
    assert [answered, kept, failed] == [
        (grpc.StatusCode.OK, ["a-1"]),
        (grpc.StatusCode.OK, ["a-2"]),
        (grpc.StatusCode.NOT_FOUND, ["a-3"]),
    ]
    assert [line["request_id"] for line in lines(path)] == ["a-1", "a-2", "a-3"]


@pytest.mark.parametrize("transport", ["http2", "grpcio"])
@pytest.mark.parametrize("sent", [(), (("x-request-id", "made up, by a client"),)], ids=["none", "no id"])
async def test_a_call_without_an_id_is_given_one(
    tmp_path: Path, transport: str, sent: tuple[tuple[str, str], ...]
) -> None:
    path = tmp_path / "access.log"
    async with serve(tmp_path, access_log=str(path), grpc_transport=transport) as server:
        told = [(await call(server, question("double"), *sent))[1] for _ in range(2)]
    assert told == [[line["request_id"]] for line in lines(path)]
    assert told[0] != told[1]
    assert all(re.fullmatch(r"[0-9a-f]{12}-[0-9a-f]+", identifier) for (identifier,) in told)


async def test_a_request_over_rest_is_given_one_too_and_nothing_else_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    async with serve(tmp_path, access_log=str(path), max_request_bytes=1000) as server:
        responses = [
            await ask_rest(server, PREDICT_PATH, body=BODY),
            await ask_rest(server, PREDICT_PATH, body=BODY),
            await ask_rest(server, PREDICT_PATH, body={"instances": [["a"]]}),
            await ask_rest(server, "/nowhere"),
            await ask_rest(server, PREDICT_PATH, body={"instances": [[1, 2]] * 500}),
        ]
    told = [response.headers["x-request-id"] for response in responses]
    assert told == [line["request_id"] for line in lines(path)]
    assert len(set(told)) == len(told)
    assert [response.headers.get("x-model-version") for response in responses] == ["3", "3", "3", None, None]


async def test_who_is_not_let_in_can_name_the_call_that_was_refused(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    access = write_access(tmp_path / "access.json", identity("shop", "secret", models={"double": ["infer"]}))
    async with serve(tmp_path, access_log=str(path), access_file=str(access)) as server:
        refused = await call(server, question("double"), ("x-request-id", "a-1"))
        let_in = await call(
            server, question("double"), ("x-request-id", "a-2"), ("authorization", "Bearer secret")
        )
    assert refused == (grpc.StatusCode.UNAUTHENTICATED, ["a-1"])
    assert let_in == (grpc.StatusCode.OK, ["a-2"])


async def test_without_a_log_no_id_comes_back(tmp_path: Path) -> None:
    async with serve(tmp_path) as server:
        assert await call(server, question("double"), ("x-request-id", "a-1")) == (grpc.StatusCode.OK, [])


@pytest.mark.parametrize("model", ["double", "nope"])
async def test_a_request_that_passes_two_servers_comes_back_with_the_name_that_the_first_gave_it(
    tmp_path: Path, model: str
) -> None:
    log = tmp_path / "front.log"
    async with serve(tmp_path, access_log=str(tmp_path / "behind.log")) as behind:
        chosen = settings(
            upstream_rest=f"127.0.0.1:{behind.rest_port}",
            upstream_grpc=f"127.0.0.1:{behind.grpc_port}",
            access_log=str(log),
        )
        front = UpstreamServer(chosen)
        await front.start()
        try:
            response = await ask_rest(front, f"/v1/models/{model}:predict", body=BODY)
            _, told = await call(front, question(model))
        finally:
            await front.close()
    over_rest, over_grpc = [line["request_id"] for line in lines(log)]
    assert (response.headers.get_list("x-request-id"), told) == ([over_rest], [over_grpc])


def test_two_servers_make_different_ids() -> None:
    assert RequestIds().identify({}) != RequestIds().identify({})
    assert [RequestIds("here").identify({}) for _ in range(2)] == ["here-1", "here-1"]  # each its own
