"""Who gets in, over real sockets and on every transport."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from serving import open_inference
from serving.access import Door, Keeper, guard_handler
from serving.access.grpc import OPEN_METHODS, RULES, guard_methods
from serving.access.rest import REST
from serving.errors import SettingsError
from serving.http1 import Request, Response
from serving.metrics import Metrics
from serving.protos import get_model_status_pb2, inference_pb2
from serving.server import Server
from tests.serving.access.worlds import (
    PREDICT,
    ask_grpc,
    ask_rest,
    identity,
    question,
    serve,
    write_access,
)

SECRET = "a-token-that-no-log-may-hold"
SHOP = identity("shop", SECRET, models={"double": ["infer"]})
READER = identity("reader", "read", models={"*": ["describe"]}, server=["observe"])
BODY = {"instances": [[1, 2]]}


@pytest.fixture(params=["http2", "grpcio"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Server]:
    path = write_access(tmp_path / "access.json", SHOP, READER)
    async with serve(tmp_path, access_file=str(path), grpc_transport=request.param) as running:
        yield running


@pytest.mark.parametrize(
    ("token", "model", "status", "code"),
    [
        pytest.param(SECRET, "double", 200, "OK", id="allowed"),
        pytest.param("", "double", 401, "UNAUTHENTICATED", id="nothing shown"),
        pytest.param("wrong", "double", 401, "UNAUTHENTICATED", id="another token"),
        pytest.param(SECRET, "other", 403, "PERMISSION_DENIED", id="another model"),
        pytest.param(SECRET, "nope", 403, "PERMISSION_DENIED", id="no such model"),
        pytest.param("read", "double", 403, "PERMISSION_DENIED", id="another verb"),
    ],
)
async def test_a_model_answers_whom_it_may(
    server: Server, token: str, model: str, status: int, code: str
) -> None:
    for _ in range(2):  # the second answer would come from the cache
        response = await ask_rest(server, f"/v1/models/{model}:predict", token=token, body=BODY)
        assert response.status_code == status, response.text
        answered, _ = await ask_grpc(server, PREDICT, question(model), token=token)
        assert answered.name == code


async def test_a_kept_answer_is_as_guarded_as_a_computed_one(server: Server) -> None:
    for _ in range(2):
        assert (
            await ask_rest(server, "/v1/models/double:predict", token=SECRET, body=BODY)
        ).status_code == 200
        assert (await ask_grpc(server, PREDICT, question("double"), token=SECRET))[0] is grpc.StatusCode.OK
    assert b'tfsp_output_cache_lookups_total{model="double",result="hit"} 2.0' in server.metrics.page()
    for token, status, code in (("", 401, "UNAUTHENTICATED"), ("read", 403, "PERMISSION_DENIED")):
        response = await ask_rest(server, "/v1/models/double:predict", token=token, body=BODY)
        answered, _ = await ask_grpc(server, PREDICT, question("double"), token=token)
        assert (response.status_code, answered.name) == (status, code)


async def test_a_refusal_says_what_to_do(server: Server) -> None:
    unknown = await ask_rest(server, "/v1/models/double:predict", body=BODY)
    assert unknown.headers["www-authenticate"] == "Bearer"
    assert "expected a bearer token in the header authorization" in unknown.json()["error"]
    forbidden = await ask_rest(server, "/v1/models/other:predict", token=SECRET, body=BODY)
    assert forbidden.json() == {"error": 'shop may not run model "other"; ask the operator to allow it'}
    _, said = await ask_grpc(server, PREDICT, question("other"), token=SECRET)
    assert said == 'shop may not run model "other"; ask the operator to allow it'


async def test_another_scheme_is_no_token(server: Server) -> None:
    response = await ask_rest(server, "/v1/models/double", headers={"authorization": "Basic eDp5"})
    assert (response.status_code, "as `Bearer TOKEN`" in response.text) == (401, True)


@pytest.mark.parametrize("path", sorted(REST.open_paths))
async def test_probes_need_no_token(server: Server, path: str) -> None:
    assert (await ask_rest(server, path)).status_code == 200


@pytest.mark.parametrize("path", sorted(OPEN_METHODS))
async def test_health_needs_no_token(server: Server, path: str) -> None:
    assert (await ask_grpc(server, path, b""))[0] is grpc.StatusCode.OK


async def test_the_open_inference_service_is_guarded_too(server: Server) -> None:
    message = open_inference.ModelInferRequest(model_name="other").SerializeToString()
    path = f"/{open_inference.SERVICE}/ModelInfer"
    codes = [(await ask_grpc(server, path, message, token=token))[0].name for token in ("", SECRET)]
    assert codes == ["UNAUTHENTICATED", "PERMISSION_DENIED"]


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/statusz",
        "/v1/models/double",
        "/V1/models/double",
        "/v1/models/double/metadata",
        "/v1/models/double/openapi.json",
        "/v1/models/double/docs",
        "/v2/models/double",
        "/v2/models/double/ready",
    ],
)
async def test_what_describes_is_for_those_who_may_read(server: Server, path: str) -> None:
    statuses = [(await ask_rest(server, path, token=token)).status_code for token in ("", SECRET, "read")]
    assert statuses == [401, 403, 200]


@pytest.mark.parametrize("path", ["/", "/v3", "/v1/models/a%2fb", "/v1/nonsense", "/v2/nonsense"])
async def test_a_stranger_does_not_learn_which_paths_there_are(server: Server, path: str) -> None:
    assert (await ask_rest(server, path)).status_code == 401
    assert (await ask_rest(server, path, token="read")).status_code in {400, 404}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/monitoring/prometheus/metrics"),
        ("POST", "/v1/models/other/:predict"),
        ("POST", "/v1/models/double%2f..%2fother:predict"),
        ("POST", "//v1/models/other:predict"),
        ("DELETE", "/v1/models/other"),
        ("POST", "/v2/repository/index"),
    ],
)
async def test_a_path_that_cannot_be_judged_never_gets_through(
    tmp_path: Path, method: str, path: str
) -> None:
    passed: list[Request] = []

    async def upstream(request: Request) -> Response:
        passed.append(request)
        return Response(body=b"")

    keeper = Keeper(str(write_access(tmp_path / "access.json", SHOP)), Metrics())
    guard = guard_handler(upstream, Door(keeper), Metrics())(asyncio.BaseTransport())
    headers = {"authorization": f"Bearer {SECRET}"}
    response = guard(Request(method=method, path=path, query="", headers=headers, body=b""))
    assert isinstance(response, Response)
    assert (response.status in {400, 404}, passed) == (True, [])


async def test_status_over_grpc_is_described(server: Server) -> None:
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "double"
    path = "/tensorflow.serving.ModelService/GetModelStatus"
    answers = [
        (await ask_grpc(server, path, request.SerializeToString(), token=token))[0].name
        for token in (SECRET, "read")
    ]
    assert answers == ["PERMISSION_DENIED", "OK"]


async def test_only_who_may_reload_changes_what_is_served(tmp_path: Path) -> None:
    operator = identity("operator", "root", server=["reload"])
    access = write_access(tmp_path / "access.json", READER, operator)
    path = "/tensorflow.serving.ModelService/HandleReloadConfigRequest"
    async with serve(tmp_path, access_file=str(access), enable_config_reload=True) as server:
        codes = [(await ask_grpc(server, path, b"", token=token))[0].name for token in ("", "read", "root")]
    assert codes[:2] == ["UNAUTHENTICATED", "PERMISSION_DENIED"]
    assert codes[2] not in codes[:2]  # let in, and told what is wrong with an empty request


async def test_every_model_of_a_joined_question_must_be_allowed(server: Server) -> None:
    request = inference_pb2.MultiInferenceRequest()
    for name in ("double", "other"):
        request.tasks.add().model_spec.name = name
    path = "/tensorflow.serving.PredictionService/MultiInference"
    code, said = await ask_grpc(server, path, request.SerializeToString(), token=SECRET)
    assert (code, said) == (
        grpc.StatusCode.PERMISSION_DENIED,
        'shop may not run model "other"; ask the operator to allow it',
    )


async def test_a_message_with_two_model_specs_is_judged_as_it_is_answered(server: Server) -> None:
    # Protobuf merges a field that comes twice: the later name counts, for the door as for the method.
    joined = question("double") + question("other")
    assert (await ask_grpc(server, PREDICT, joined, token=SECRET))[0] is grpc.StatusCode.PERMISSION_DENIED
    joined = question("other") + question("double")
    code, answer = await ask_grpc(server, PREDICT, joined, token=SECRET)
    assert (code, b"double" in answer) == (grpc.StatusCode.OK, True)  # type: ignore[operator]


async def test_what_is_no_message_is_refused_by_its_method(server: Server) -> None:
    assert (await ask_grpc(server, PREDICT, b"\xff", token=SECRET))[0] is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_connection_is_judged_anew_for_every_request(server: Server) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.rest_port}") as client:
        statuses = [
            (await client.post("/v1/models/double:predict", json=BODY, headers=headers)).status_code
            for headers in (
                {"authorization": f"bearer {SECRET}"},
                {},
                {"authorization": f"BEARER  {SECRET}"},
            )
        ]
    assert statuses == [200, 401, 200]


async def test_refusals_are_counted_and_tokens_are_never_logged(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for token in (SECRET, SECRET + "x"):
            await ask_rest(server, "/v1/models/other:predict", token=token, body=BODY)
            await ask_grpc(server, PREDICT, question("other"), token=token)
    page = server.metrics.page().decode()
    for code, transport in (
        ("401", "rest"),
        ("403", "rest"),
        ("UNAUTHENTICATED", "grpc"),
        ("PERMISSION_DENIED", "grpc"),
    ):
        series = (
            f'tfsp_requests_total{{code="{code}",method="refused",model="other",transport="{transport}"}} 1.0'
        )
        assert series in page
    assert SECRET not in caplog.text
    assert SECRET not in page


def test_a_method_without_a_rule_is_a_server_that_does_not_start(tmp_path: Path) -> None:
    async def method(message: bytes, _call: Any) -> bytes:
        return message

    table: Any = {"/tensorflow.serving.PredictionService/Predict": method, "/s/New": method}
    with pytest.raises(SettingsError, match="got none for /s/New"):
        guard_methods(table, None, Metrics())  # type: ignore[arg-type]
    assert "/s/New" not in RULES
