"""Decisions that are remembered, and forgotten when the policy, the headers or the certificate are others."""

from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import grpc.aio
import httpx
import pytest

from serving.access import Door, Keeper, guard_methods
from serving.calls import CALLER, Call
from serving.grpc.calls import Cancel, Finish, forget
from serving.metrics import Metrics
from tests.serving.access.worlds import (
    PREDICT,
    ask_grpc,
    ask_rest,
    identity,
    question,
    serve,
    write_access,
)

SECRET = "a-token"
SHOP = identity("shop", SECRET, models={"double": ["infer"]})
READER = identity("reader", "read", models={"*": ["describe"]})
BODY = {"instances": [[1, 2]]}


async def test_a_withdrawn_token_is_refused_without_a_restart(tmp_path: Path) -> None:
    path = write_access(tmp_path / "access.json", SHOP)
    async with serve(tmp_path, access_file=str(path)) as server:
        assert (
            await ask_rest(server, "/v1/models/double:predict", token=SECRET, body=BODY)
        ).status_code == 200
        write_access(path, READER)
        while (
            await ask_rest(server, "/v1/models/double:predict", token=SECRET, body=BODY)
        ).status_code == 200:
            pass
        assert (await ask_grpc(server, PREDICT, question("double"), token=SECRET))[
            0
        ].name == "UNAUTHENTICATED"


async def test_a_withdrawn_token_is_refused_on_a_connection_that_it_opened(tmp_path: Path) -> None:
    path = write_access(tmp_path / "access.json", SHOP)
    headers = {"authorization": f"Bearer {SECRET}"}
    async with (
        serve(tmp_path, access_file=str(path)) as server,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.rest_port}", headers=headers) as client,
    ):
        statuses = [(await client.post("/v1/models/double:predict", json=BODY)).status_code for _ in range(3)]
        write_access(path, SHOP | {"models": {}})
        while (last := await client.post("/v1/models/double:predict", json=BODY)).status_code == 200:
            pass
    assert (statuses, last.status_code) == ([200] * 3, 403)


@pytest.mark.parametrize("transport", ["http2", "grpcio"])
async def test_a_withdrawn_token_is_refused_on_a_channel_that_it_opened(
    tmp_path: Path, transport: str
) -> None:
    path = write_access(tmp_path / "access.json", SHOP)
    metadata = (("authorization", f"Bearer {SECRET}"),)
    async with (
        serve(tmp_path, access_file=str(path), grpc_transport=transport) as server,
        AsyncExitStack() as stack,
    ):
        address = f"127.0.0.1:{server.grpc_port}"
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(address))
        ask = channel.unary_unary(PREDICT)
        for _ in range(300):  # more than are remembered
            assert await ask(question("double"), metadata=metadata, timeout=10)
        write_access(path, SHOP | {"models": {}})
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            while True:
                await ask(question("double"), metadata=metadata, timeout=10)
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_equal_headers_over_another_certificate_are_another_caller(tmp_path: Path) -> None:
    known = [
        identity(name, certificates=[f"DNS:{name}"], models={"double": ["infer"]}) for name in ("a", "b")
    ]
    seen: list[str] = []

    def method(_message: bytes, call: Call, finish: Finish) -> Cancel:
        seen.append(call.metadata[CALLER])
        finish(b"", None)
        return forget

    door = Door(Keeper(str(write_access(tmp_path / "access.json", *known)), Metrics()))
    guarded = guard_methods({PREDICT: method}, door, Metrics())[PREDICT]
    shared: dict[str, str] = {}
    for name in ("a", "b", "a"):
        call = Call(metadata=shared, certificate_names=(f"DNS:{name}",))
        guarded(question("double"), call, lambda _answer, _error: None)
    assert seen == ["a", "b", "a"]
