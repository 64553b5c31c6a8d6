"""Both doors with an upstream behind them: our own server, over a fake backend, stands in for TensorFlow Serving."""

import asyncio
import http.client
import json
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2

from serving.http1 import Request
from serving.http2 import CallContext, StatusCode, StatusError, UnaryServer
from serving.protos import get_model_status_pb2, predict_pb2
from serving.server import Server
from serving.upstream import UpstreamServer
from serving.upstream.rest import write_head
from tests.serving.grpc.test_methods import question
from tests.serving.upstream.worlds import settings

PREDICT = "/tensorflow.serving.PredictionService/Predict"
STATUS = "/tensorflow.serving.ModelService/GetModelStatus"
RELOAD = "/tensorflow.serving.ModelService/HandleReloadConfigRequest"
CHECK = "/grpc.health.v1.Health/Check"


def fetch(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, body, {"content-type": "application/json"})
    response = connection.getresponse()
    found = response.status, response.read()
    connection.close()
    return found


async def get(port: int, path: str, *, body: bytes | None = None, method: str = "") -> tuple[int, bytes]:
    return await asyncio.to_thread(fetch, port, method or ("GET" if body is None else "POST"), path, body)


async def ask(port: int, path: str, message: bytes, **more: Any) -> bytes:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        answer: bytes = await channel.unary_unary(path)(message, timeout=10, **more)
        return answer


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/models/double:predict", b'{"instances": [[1, 2]]}'),
        ("/v1/models/double/versions/3:predict", b'{"instances": [[1, 2], [3, 4]]}'),
        ("/v1/models/double:predict", b'{"instances": [["x"]]}'),
        ("/v1/models/other:predict", b'{"instances": [[1, 2]]}'),
        ("/v1/models/double", None),
        ("/v1/models/double/metadata", None),
        ("/v2/models/double", None),
        ("/nowhere?a=b", None),
    ],
)
async def test_rest_answers_are_those_of_the_upstream(
    front: UpstreamServer, behind: Server, path: str, body: bytes | None
) -> None:
    assert await get(front.rest_port, path, body=body) == await get(behind.rest_port, path, body=body)


async def test_a_head_request_has_no_body(front: UpstreamServer) -> None:
    assert await get(front.rest_port, "/v1/models/double", method="HEAD") == (200, b"")


async def test_grpc_answers_are_those_of_the_upstream(front: UpstreamServer) -> None:
    answer = await ask(front.grpc_port, PREDICT, question().SerializeToString())
    assert list(predict_pb2.PredictResponse.FromString(answer).outputs["y"].float_val) == [2, 4]
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "double"
    status = get_model_status_pb2.GetModelStatusResponse.FromString(
        await ask(front.grpc_port, STATUS, request.SerializeToString())
    )
    assert [each.version for each in status.model_version_status] == [3]


async def test_errors_of_the_upstream_keep_their_code_and_text(front: UpstreamServer) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ask(front.grpc_port, PREDICT, question("other").SerializeToString())
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert caught.value.details() == "Servable not found for request: Latest(other)"


async def test_reloading_is_refused_unless_it_is_switched_on(front: UpstreamServer) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ask(front.grpc_port, RELOAD, b"")
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert "--enable_config_reload" in (caught.value.details() or "")


async def test_readiness_follows_the_upstream(front: UpstreamServer, behind: Server) -> None:
    async def health() -> int:
        answer = await ask(front.grpc_port, CHECK, b"")
        return int(health_pb2.HealthCheckResponse.FromString(answer).status)

    while (await get(front.rest_port, "/readyz"))[0] != 200:  # noqa: ASYNC110 - asked over the wire
        await asyncio.sleep(0.01)
    assert await health() == health_pb2.HealthCheckResponse.SERVING
    await behind.close()
    while (await get(front.rest_port, "/readyz"))[0] == 200:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert await health() == health_pb2.HealthCheckResponse.NOT_SERVING
    assert b"double: " in (await get(front.rest_port, "/readyz"))[1]
    assert (await get(front.rest_port, "/livez"))[0] == 200


async def test_an_upstream_that_is_gone_is_a_sentence_at_both_doors(
    front: UpstreamServer, behind: Server
) -> None:
    await behind.close()
    status, body = await get(front.rest_port, "/v1/models/double:predict", body=b"{}")
    assert status == 503
    assert "upstream server at 127.0.0.1:" in json.loads(body)["error"]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ask(front.grpc_port, PREDICT, b"")
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_request_that_is_counted_names_only_models_of_ours(front: UpstreamServer) -> None:
    await get(front.rest_port, "/v1/models/double")
    await get(front.rest_port, "/v1/models/made-up")
    page = front.metrics.page().decode()
    assert 'tfsp_requests_total{code="200",method="pass_through",model="double",transport="rest"} 1.0' in page
    assert 'code="404",method="pass_through",model="other",transport="rest"} 1.0' in page


async def test_while_draining_requests_pass_and_probes_say_no(front: UpstreamServer) -> None:
    front.start_draining()
    assert (await get(front.rest_port, "/readyz"))[0] == 503
    answer = await get(front.rest_port, "/v1/models/double:predict", body=b'{"instances": [[1, 2]]}')
    assert answer[0] == 200


async def test_one_door_alone_leaves_the_other_to_probes(behind: Server) -> None:
    front = UpstreamServer(settings(upstream_grpc=f"127.0.0.1:{behind.grpc_port}"))
    await front.start()
    assert (await get(front.rest_port, "/livez"))[0] == 200
    status, body = await get(front.rest_port, "/v1/models/double")
    assert status == 503
    assert b"--upstream_rest" in body
    await front.close()


async def test_deadline_metadata_and_cancellation_reach_the_upstream(tmp_path: Path) -> None:
    seen: list[tuple[bool, dict[str, str]]] = []
    began = asyncio.Event()

    async def wait(_message: bytes, call: CallContext) -> bytes:
        seen.append((call.deadline is not None, dict(call.metadata)))
        began.set()
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    def refuse(_message: bytes, _call: CallContext) -> bytes:
        raise StatusError(StatusCode.UNAVAILABLE, "not yet")

    behind = UnaryServer({PREDICT: wait, STATUS: refuse})
    await behind.start(path=tmp_path / "s")
    front = UpstreamServer(settings(upstream_grpc=f"unix:{tmp_path}/s"))
    await front.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{front.grpc_port}") as channel:
        call = channel.unary_unary(PREDICT)(b"", timeout=10, metadata=(("traceparent", "00-1-2-01"),))
        await asyncio.wait_for(began.wait(), 5)
        call.cancel()
        await asyncio.wait_for(behind_is_idle(behind), 5)
    assert seen == [(True, {"traceparent": "00-1-2-01"})]
    await front.close()
    await behind.close()


async def test_what_the_upstream_says_behind_its_status_comes_through(tmp_path: Path) -> None:
    said: tuple[tuple[str, str | bytes], ...] = (
        ("grpc-retry-pushback-ms", "250"),
        ("grpc-status-details-bin", b"\0\1"),
    )

    def refuse(_message: bytes, _call: CallContext) -> bytes:
        raise StatusError(StatusCode.RESOURCE_EXHAUSTED, "full", metadata=said)

    behind = UnaryServer({PREDICT: refuse})
    await behind.start(path=tmp_path / "s")
    front = UpstreamServer(settings(upstream_grpc=f"unix:{tmp_path}/s"))
    await front.start()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ask(front.grpc_port, PREDICT, b"")
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert dict(caught.value.trailing_metadata() or ()) == dict(said)
    await front.close()
    await behind.close()


async def behind_is_idle(server: UnaryServer) -> None:
    while server.open_call_count:  # noqa: ASYNC110 - it says nothing when a call ends
        await asyncio.sleep(0)


def test_what_is_about_the_connection_to_us_is_not_sent_on() -> None:
    headers = {
        "host": "evil",
        "connection": "keep-alive",
        "content-length": "999",
        "transfer-encoding": "chunked",
        "expect": "100-continue",
        ":caller": "shop",
        "accept-encoding": "gzip",
    }
    request = Request(method="POST", path="/v1/models/m:predict", query="a=b", headers=headers, body=b"{}")
    assert write_head(request, host="h:1") == (
        b"POST /v1/models/m:predict?a=b HTTP/1.1\r\nhost: h:1\r\naccept-encoding: gzip\r\n"
    )
