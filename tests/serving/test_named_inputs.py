"""Inputs that are named by digest, over real sockets, to a model that parses texts before it doubles them."""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from serving import open_inference
from serving.backend import FakeBackend
from serving.backend.fake import signature, spec
from serving.protos import predict_pb2, types_pb2
from serving.server import Server
from serving.settings import ServingSettings
from serving.tensors.dtypes import Array
from tests.serving.access.worlds import PREDICT, ask_grpc, ask_rest, identity, write_access
from tests.serving.processes import free_port

ASK = signature([spec("text", "string", (None,))], [spec("y", "float", (None,))])
PAIR = signature(
    [spec("a", "string", (None,)), spec("sha256", "string", (None,))],
    [spec("joined", "string", (None,))],
    name="pair",
)
V1, V2 = "/v1/models/m:predict", "/v2/models/m/infer"
INFER = f"/{open_inference.SERVICE}/ModelInfer"


def model(inputs: Mapping[str, Array]) -> Mapping[str, Array]:
    if "a" in inputs:
        return {"joined": inputs["a"] + inputs["sha256"]}
    if "text" in inputs:
        numbers = np.array([float(text) for text in inputs["text"]], np.float32)
        return {"preprocessed": numbers, "y": numbers * 2}
    return {"y": inputs["preprocessed"] * 2}


class World:
    def __init__(self, server: Server, backend: FakeBackend) -> None:
        self.server = server
        self._backend = backend

    async def ask(self, *instances: Any, token: str = "") -> tuple[int, Any]:
        response = await ask_rest(self.server, V1, body={"instances": list(instances)}, token=token)
        return response.status_code, response.json()

    def preprocessed(self) -> list[bytes]:
        return [text for call in self._backend.calls if "text" in call for text in call["text"]]


@asynccontextmanager
async def serve(folder: Path, *, mark: bool = True, **settings: Any) -> AsyncIterator[World]:
    version = folder / "m" / "1"
    version.mkdir(parents=True)
    (version / "saved_model.pb").touch()
    extra = {"preprocessed": {"tensor": "parsed:0", "dtype": "float32", "shape": [None]}} if mark else {}
    (version / "manifest.json").write_text(json.dumps({"accuracy": {"value": 0.9}, "extra": extra}))
    backend = FakeBackend([ASK, PAIR], model)
    chosen = {"port": free_port(), "rest_api_port": free_port(), "input_cache_bytes": 100_000} | settings
    server = Server(
        ServingSettings(
            listen_address="127.0.0.1",
            model_name="m",
            model_base_path=str(folder / "m"),
            enable_model_warmup=False,
            drain_seconds=0,
            **chosen,
        ),
        load=lambda _folder: backend,
    )
    try:
        await server.start()
        yield World(server, backend)
    finally:
        await server.close()


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def named(text: str) -> dict[str, str]:
    return {"sha256": sha256(text)}


async def test_an_input_that_was_sent_before_need_only_be_named(tmp_path: Path) -> None:
    async with serve(tmp_path) as world:
        assert await world.ask("1.5", "2") == (200, {"predictions": [3.0, 4.0]})
        assert await world.ask(named("2"), "4", named("1.5")) == (200, {"predictions": [4.0, 8.0, 3.0]})
        assert await world.ask({"text": named("2")}) == (200, {"predictions": [4.0]})
        assert sorted(world.preprocessed()) == [b"1.5", b"2", b"4"]


async def test_every_form_of_a_rest_question_may_name_its_inputs(tmp_path: Path) -> None:
    tensor = {"name": "text", "datatype": "BYTES", "shape": [1], "data": [named("2")]}
    async with serve(tmp_path) as world:
        await world.ask("2")
        for path, body, answer in (
            (V1, {"inputs": [named("2")]}, {"outputs": [4.0]}),
            (V1, {"inputs": {"text": [{"sha256": sha256("2").upper()}]}}, {"outputs": [4.0]}),
        ):
            response = await ask_rest(world.server, path, body=body)
            assert (response.status_code, response.json()) == (200, answer)
        response = await ask_rest(world.server, V2, body={"inputs": [tensor]})
        assert (response.status_code, response.json()["outputs"][0]["data"]) == (200, [4.0])


async def test_an_unknown_name_is_not_found_and_says_to_send_the_input(tmp_path: Path) -> None:
    async with serve(tmp_path) as world:
        await world.ask("1")
        status, answer = await world.ask("1", named("2"), named("3"))
        assert status == 404
        assert answer["error"] == (
            f"no input with SHA-256 {sha256('2')} is kept (2 of 3 rows, the first is row 1); send the input itself"
        )
        assert world.preprocessed() == [b"1"]
        assert (await world.ask("2", named("2")))[0] == 404  # what comes with the question is not kept yet


def handles(*texts: str, container: str = "sha256", count: int | None = None) -> bytes:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "m"
    tensor = request.inputs["text"]
    tensor.dtype = types_pb2.DT_RESOURCE
    tensor.tensor_shape.dim.add(size=len(texts) if count is None else count)
    for text in texts:
        tensor.resource_handle_val.add(container=container, name=sha256(text))
    serialized: bytes = request.SerializeToString()
    return serialized


@pytest.mark.parametrize("transport", ["http2", "grpcio"])
async def test_over_grpc_a_handle_names_an_input(tmp_path: Path, transport: str) -> None:
    async with serve(tmp_path, grpc_transport=transport) as world:
        await world.ask("1.5", "2")
        code, answer = await ask_grpc(world.server, PREDICT, handles("2", "1.5"))
        assert code is grpc.StatusCode.OK
        assert isinstance(answer, bytes)
        response = predict_pb2.PredictResponse.FromString(answer)
        assert list(response.outputs["y"].float_val) == [4.0, 3.0]
        code, said = await ask_grpc(world.server, PREDICT, handles("7"))
        assert (code, str(said).endswith("send the input itself")) == (grpc.StatusCode.NOT_FOUND, True)


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        pytest.param(handles("1", container="files"), 'must have the container "sha256"', id="container"),
        pytest.param(handles("1", count=2), "as many handles as its shape says, got 1", id="too few"),
        pytest.param(
            handles("1").replace(sha256("1").encode(), b"g" * 64), "as 64 hexadecimal digits", id="no digest"
        ),
    ],
)
async def test_a_handle_that_is_none_is_refused(tmp_path: Path, message: bytes, complaint: str) -> None:
    async with serve(tmp_path) as world:
        code, said = await ask_grpc(world.server, PREDICT, message)
        assert (code, complaint in str(said)) == (grpc.StatusCode.INVALID_ARGUMENT, True), said


def names(*digests: str, raw: bool = False, datatype: str = "SHA256") -> bytes:
    """A ModelInfer of rows that are only named."""
    request = open_inference.ModelInferRequest(model_name="m")
    tensor = request.inputs.add(name="text", datatype=datatype, shape=[len(digests)])
    if raw:
        request.raw_input_contents.append(
            b"".join(len(text).to_bytes(4, "little") + text.encode() for text in digests)
        )
    else:
        tensor.contents.bytes_contents.extend(text.encode() for text in digests)
    serialized: bytes = request.SerializeToString()
    return serialized


@pytest.mark.parametrize("raw", [False, True], ids=["contents", "raw"])
async def test_over_v2_grpc_a_datatype_of_its_own_names_inputs(tmp_path: Path, raw: bool) -> None:
    async with serve(tmp_path) as world:
        await world.ask("1.5", "2")
        code, answer = await ask_grpc(world.server, INFER, names(sha256("2"), sha256("1.5"), raw=raw))
        assert code is grpc.StatusCode.OK
        response = open_inference.ModelInferResponse.FromString(answer)
        found = (
            np.frombuffer(response.raw_output_contents[0], np.float32)
            if raw
            else response.outputs[0].contents.fp32_contents
        )
        assert list(found) == [4.0, 3.0]
        assert sorted(world.preprocessed()) == [b"1.5", b"2"]
        code, said = await ask_grpc(world.server, INFER, names(sha256("7"), raw=raw))
        assert (code, str(said).endswith("send the input itself")) == (grpc.StatusCode.NOT_FOUND, True)


async def test_a_digest_that_is_sent_as_bytes_is_an_input(tmp_path: Path) -> None:
    async with serve(tmp_path) as world:
        await ask_grpc(world.server, INFER, names("12", datatype="BYTES"))
        code, said = await ask_grpc(world.server, INFER, names("12"))
        assert (code, "64 hexadecimal digits" in str(said)) == (grpc.StatusCode.INVALID_ARGUMENT, True)
        assert world.preprocessed() == [b"12"]


async def test_in_an_example_a_name_is_refused_with_the_reason(tmp_path: Path) -> None:
    body = {"signature_name": "pair", "examples": [{"picture": named("1")}]}
    async with serve(tmp_path) as world:
        for verb in ("classify", "regress"):
            response = await ask_rest(world.server, f"/v1/models/m:{verb}", body=body)
            assert response.status_code == 400
            assert "which means nothing inside of an Example" in response.json()["error"]


@pytest.mark.parametrize(
    "settings", [{"input_cache_bytes": 0}, {"mark": False}], ids=["no budget", "no mark"]
)
async def test_a_name_never_reaches_a_model_that_keeps_no_inputs(tmp_path: Path, settings: Any) -> None:
    async with serve(tmp_path, **settings) as world:
        await world.ask("1")
        status, answer = await world.ask(named("1"))
        assert (status, "send the input itself" in answer["error"]) == (400, True), answer
        code, said = await ask_grpc(world.server, PREDICT, handles("1"))
        assert (code, "send the input itself" in str(said)) == (grpc.StatusCode.INVALID_ARGUMENT, True)
        code, said = await ask_grpc(world.server, INFER, names(sha256("1")))
        assert (code, "send the input itself" in str(said)) == (grpc.StatusCode.INVALID_ARGUMENT, True)
        assert world.preprocessed() == [b"1"]


async def test_an_input_that_is_called_sha256_keeps_its_meaning(tmp_path: Path) -> None:
    body = {"signature_name": "pair", "instances": [{"a": "x", "sha256": sha256("1")}]}
    async with serve(tmp_path) as world:
        response = await ask_rest(world.server, V1, body=body)
        assert response.json() == {"predictions": ["x" + sha256("1")]}


@pytest.mark.parametrize(
    "value", [{"sha256": "ab"}, {"sha256": "g" * 64}, {"sha256": 1}, {"sha256": "a" * 64, "b64": ""}]
)
async def test_what_is_no_digest_is_refused(tmp_path: Path, value: Any) -> None:
    async with serve(tmp_path) as world:
        assert (await world.ask("1", value))[0] == 400


async def test_names_deep_in_a_body_cost_nothing_but_a_refusal(tmp_path: Path) -> None:
    deep = '{"instances":' + "[" * 900 + '{"sha256":"' + "a" * 64 + '"}' + "]" * 900 + "}"
    async with serve(tmp_path) as world:
        response = await ask_rest(world.server, V1, body=json.loads(deep))
        assert response.status_code == 400


async def test_what_one_caller_sent_another_cannot_name(tmp_path: Path) -> None:
    access = write_access(
        tmp_path / "access.json", *[identity(name, name, models={"m": ["infer"]}) for name in ("a", "b")]
    )
    async with serve(tmp_path, access_file=str(access)) as world:
        assert (await world.ask("2", token="a"))[0] == 200
        for _ in range(2):
            assert (await world.ask(named("2"), token="a"))[0] == 200
            assert (await world.ask(named("2"), token="b"))[0] == 404
        assert (await world.ask("2", token="b"))[0] == 200
        assert (await world.ask(named("2"), token="b"))[0] == 200
        assert world.preprocessed() == [b"2", b"2"]


async def test_a_kept_answer_is_its_askers_alone_where_callers_have_names(tmp_path: Path) -> None:
    access = write_access(
        tmp_path / "access.json", *[identity(name, name, models={"m": ["infer"]}) for name in ("a", "b")]
    )
    async with serve(tmp_path, access_file=str(access)) as world:
        for token in ("a", "a", "b", "b"):
            assert (await world.ask("2", token=token))[0] == 200
        page = world.server.metrics.page().decode()
    assert 'tfsp_output_cache_lookups_total{model="m",result="hit"} 2.0' in page
    assert 'tfsp_output_cache_lookups_total{model="m",result="miss"} 2.0' in page
