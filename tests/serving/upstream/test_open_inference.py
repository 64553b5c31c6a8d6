"""The Open Inference Protocol over gRPC with an upstream that speaks it, and with one that does not."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from serving import open_inference as protos
from serving.http2 import UnaryServer
from serving.server import Server
from serving.upstream import UpstreamServer
from tests.serving.access.worlds import ask_grpc
from tests.serving.upstream.worlds import settings


def path(method: str) -> str:
    return f"/{protos.SERVICE}/{method}"


def infer() -> bytes:
    request = protos.ModelInferRequest(model_name="double", id="a-1")
    tensor = request.inputs.add(name="x", datatype="FP32", shape=[1, 2])
    tensor.contents.fp32_contents.extend([1, 2])
    serialized: bytes = request.SerializeToString()
    return serialized


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("ModelInfer", infer()),
        ("ModelReady", protos.ModelReadyRequest(name="double").SerializeToString()),
        ("ModelReady", protos.ModelReadyRequest(name="other").SerializeToString()),
        ("ModelMetadata", protos.ModelMetadataRequest(name="double").SerializeToString()),
        ("ModelMetadata", protos.ModelMetadataRequest(name="other").SerializeToString()),
        ("ServerLive", b""),
        ("ServerReady", b""),
        ("ServerMetadata", b""),
    ],
)
async def test_what_the_upstream_answers_comes_back_as_it_is(
    front: UpstreamServer,
    behind: Server,
    method: str,
    message: bytes,
) -> None:
    told = await ask_grpc(front, path(method), message)
    assert told == await ask_grpc(behind, path(method), message)
    if method == "ModelInfer":
        response = protos.ModelInferResponse.FromString(told[1])
        assert list(response.outputs[0].contents.fp32_contents) == [2, 4]


async def test_an_upstream_that_does_not_speak_it_is_quoted_and_the_server_speaks_for_itself(
    tmp_path: Path,
) -> None:
    address = str(tmp_path / "grpc.sock")
    upstream: Any = UnaryServer({})
    await upstream.start(path=address)
    server = UpstreamServer(settings(upstream_grpc=f"unix:{address}"))
    await server.start()
    try:
        code, _ = await ask_grpc(server, path("ModelInfer"), infer())
        assert code is grpc.StatusCode.UNIMPLEMENTED
        _, live = await ask_grpc(server, path("ServerLive"), b"")
        _, ready = await ask_grpc(server, path("ServerReady"), b"")
        assert protos.ServerLiveResponse.FromString(live).live is True
        assert protos.ServerReadyResponse.FromString(ready).ready is False
    finally:
        await asyncio.gather(server.close(), upstream.close())
