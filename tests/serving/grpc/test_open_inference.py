"""The Open Inference Protocol over gRPC, message by message, over a fake backend."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving import open_inference as protos
from serving.backend import FakeBackend
from serving.backend.fake import signature, spec
from serving.calls import Call
from serving.errors import ServingError
from serving.grpc import Method, StatusCode, methods, status_of
from serving.grpc.calls import finished
from serving.metrics import Metrics
from serving.pipeline import Pipeline
from serving.settings import ServingSettings
from serving.tensors.dtypes import BY_NAME
from serving.tensors.raw_tensors import DATATYPES, write_raw
from tests.serving.worlds import double_repository

# Two rows of each type, as the wire's typed contents would spell them; None where it has none.
VALUES: dict[str, list[Any]] = {
    "BOOL": [True, False],
    "UINT8": [0, 255],
    "UINT16": [1, 65535],
    "UINT32": [1, 2**32 - 1],
    "UINT64": [1, 2**64 - 1],
    "INT8": [-128, 127],
    "INT16": [-(2**15), 1],
    "INT32": [-(2**31), 1],
    "INT64": [-(2**63), 1],
    "FP16": [1.5, -2.0],
    "FP32": [1.5, -2.0],
    "FP64": [1e300, -2.0],
    "BF16": [0x3FC0, 0xC000],  # the bits of 1.5 and -2
    "BYTES": [b"", b"\0\xff text"],
}
CONTENTS = {
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    "BOOL": "bool_contents",
    "INT64": "int64_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}


def echo_backend() -> FakeBackend:
    ones = [
        signature([spec("x", name, (None,))], [spec("y", name, (None,))], name=name) for name in DATATYPES
    ]
    pair = signature(
        [spec("a", "float", (None, 2)), spec("b", "string", (None,))], [spec("y", "float", (None, 2))]
    )
    return FakeBackend([*ones, pair], lambda inputs: {"y": inputs["x"] if "x" in inputs else inputs["a"]})


@pytest.fixture
async def table(tmp_path: Path) -> dict[str, Method]:
    return await open_table(tmp_path)


async def open_table(folder: Path, *, is_ready: bool = True, **settings: Any) -> dict[str, Method]:
    metrics = Metrics()
    repository = await double_repository(folder, metrics=metrics, backend=echo_backend)
    chosen = ServingSettings(**settings)
    return methods(repository, Pipeline(chosen, metrics), metrics, chosen, is_ready=lambda: is_ready)


async def ask(table: dict[str, Method], name: str, request: Any) -> bytes:
    return await finished(table[f"/{protos.SERVICE}/{name}"], request.SerializeToString(), Call())


async def infer(table: dict[str, Method], request: Any) -> Any:
    return protos.ModelInferResponse.FromString(await ask(table, "ModelInfer", request))


async def refused(table: dict[str, Method], request: Any) -> tuple[StatusCode, str]:
    with pytest.raises(ServingError) as caught:
        await infer(table, request)
    return status_of(caught.value)


def question(datatype: str, *, raw: bool) -> Any:
    name = next(name for name, known in DATATYPES.items() if known == datatype)
    request = protos.ModelInferRequest(model_name="double", id="q")
    request.parameters["signature_name"].string_param = name
    tensor = request.inputs.add(name="x", datatype=datatype, shape=[2])
    if raw:
        dtype = BY_NAME[name]
        request.raw_input_contents.append(write_raw(np.array(VALUES[datatype], dtype.storage), dtype))
    else:
        getattr(tensor.contents, CONTENTS[datatype]).extend(VALUES[datatype])
    return request


@pytest.mark.parametrize("datatype", VALUES)
async def test_every_datatype_goes_raw_as_it_came(table: dict[str, Method], datatype: str) -> None:
    request = question(datatype, raw=True)
    response = await infer(table, request)
    assert (response.model_name, response.model_version, response.id) == ("double", "3", "q")
    (output,) = response.outputs
    assert (output.name, output.datatype, list(output.shape)) == ("y", datatype, [2])
    assert list(response.raw_output_contents) == list(request.raw_input_contents)


@pytest.mark.parametrize("datatype", CONTENTS)
async def test_every_datatype_with_typed_contents_goes_in_them(
    table: dict[str, Method], datatype: str
) -> None:
    response = await infer(table, question(datatype, raw=False))
    (output,) = response.outputs
    assert list(getattr(output.contents, CONTENTS[datatype])) == VALUES[datatype]
    assert not response.raw_output_contents


def pair(*, order: str = "ab", raw: bool = True) -> Any:
    request = protos.ModelInferRequest(model_name="double", model_version="3")
    contents = {"a": np.array([[1, 2]], np.float32).tobytes(), "b": b"\1\0\0\0q"}
    for name in order:
        tensor = request.inputs.add(name=name, datatype={"a": "FP32", "b": "BYTES"}[name])
        tensor.shape.extend([1, 2] if name == "a" else [1])
        if raw:
            request.raw_input_contents.append(contents[name])
    return request


@pytest.mark.parametrize("order", ["ab", "ba"])
async def test_raw_contents_follow_the_order_of_the_request(table: dict[str, Method], order: str) -> None:
    response = await infer(table, pair(order=order))
    assert np.frombuffer(response.raw_output_contents[0], np.float32).tolist() == [1, 2]


def changed(change: Any) -> Any:
    request = pair()
    change(request)
    return request


@pytest.mark.parametrize(
    ("request_", "code", "complaint"),
    [
        pytest.param(protos.ModelInferRequest(model_name="nope"), "NOT_FOUND", "Latest(nope)", id="model"),
        pytest.param(
            changed(lambda r: setattr(r, "model_version", "9")),
            "NOT_FOUND",
            "Specific(double, 9)",
            id="version",
        ),
        pytest.param(
            changed(lambda r: setattr(r, "model_version", "x")),
            "INVALID_ARGUMENT",
            "as a whole number, got x",
            id="no number",
        ),
        pytest.param(
            changed(lambda r: r.inputs.pop()),
            "INVALID_ARGUMENT",
            "expected the inputs a, b, got a",
            id="missing",
        ),
        pytest.param(
            changed(lambda r: r.inputs.add(name="a")),
            "INVALID_ARGUMENT",
            "expected the inputs a, b, got a, b, a",
            id="twice",
        ),
        pytest.param(
            changed(lambda r: r.raw_input_contents.pop()),
            "INVALID_ARGUMENT",
            "raw_input_contents for all 2 inputs",
            id="raw missing",
        ),
        pytest.param(
            changed(lambda r: r.inputs[0].contents.fp32_contents.append(1)),
            "INVALID_ARGUMENT",
            "no contents beside them",
            id="both",
        ),
        pytest.param(
            pair(raw=False),
            "INVALID_ARGUMENT",
            "must have 2 values in fp32_contents, as its shape says, got 0",
            id="neither",
        ),
        pytest.param(
            changed(lambda r: setattr(r.inputs[0], "datatype", "INT8")),
            "INVALID_ARGUMENT",
            "must have datatype FP32",
            id="datatype",
        ),
        pytest.param(
            changed(lambda r: r.inputs[0].shape.append(1)), "INVALID_ARGUMENT", "got shape [1,2,1]", id="rank"
        ),
        pytest.param(
            changed(lambda r: r.inputs[0].shape.__setitem__(0, -1)),
            "INVALID_ARGUMENT",
            "must have datatype FP32 and a shape like",
            id="negative",
        ),
        pytest.param(
            changed(lambda r: r.inputs[0].shape.__setitem__(0, 2)),
            "INVALID_ARGUMENT",
            "must have 16 bytes, as its shape says, got 8",
            id="size",
        ),
        pytest.param(
            changed(lambda r: r.inputs[0].shape.__setitem__(0, 2**60)),
            "RESOURCE_EXHAUSTED",
            "must be at most",
            id="a bomb",
        ),
        pytest.param(
            changed(lambda r: r.outputs.add(name="z")),
            "INVALID_ARGUMENT",
            "expected some of the outputs y, got z",
            id="output",
        ),
        pytest.param(
            changed(lambda r: [r.outputs.add(name="y") for _ in "ab"]),
            "INVALID_ARGUMENT",
            "got y, y",
            id="output twice",
        ),
    ],
)
async def test_a_wrong_question_is_refused(
    table: dict[str, Method], request_: Any, code: str, complaint: str
) -> None:
    answered, text = await refused(table, request_)
    assert (answered.name, complaint in text) == (code, True), text


@pytest.mark.parametrize(("datatype", "value"), [("INT8", 128), ("UINT8", 256), ("INT16", -(2**15) - 1)])
async def test_what_does_not_fit_its_type_is_not_cut_off(
    table: dict[str, Method], datatype: str, value: int
) -> None:
    request = question(datatype, raw=False)
    getattr(request.inputs[0].contents, CONTENTS[datatype])[0] = value
    assert f"must have values that fit {datatype}" in (await refused(table, request))[1]


@pytest.mark.parametrize("datatype", ["FP16", "BF16"])
async def test_types_without_contents_must_come_raw(table: dict[str, Method], datatype: str) -> None:
    request = question(datatype, raw=True)
    del request.raw_input_contents[:]
    assert "must come in raw_input_contents" in (await refused(table, request))[1]


async def test_metadata_describes_the_default_signature(table: dict[str, Method]) -> None:
    message = await ask(table, "ModelMetadata", protos.ModelMetadataRequest(name="double"))
    found = protos.ModelMetadataResponse.FromString(message)
    assert (found.name, list(found.versions), found.platform) == ("double", ["3"], "tensorflow_savedmodel")
    described = [(t.name, t.datatype, list(t.shape)) for t in itertools.chain(found.inputs, found.outputs)]
    assert described == [("a", "FP32", [-1, 2]), ("b", "BYTES", [-1]), ("y", "FP32", [-1, 2])]


@pytest.mark.parametrize(
    ("name", "version", "ready"),
    [
        ("double", "", True),
        ("double", "3", True),
        ("double", "4", False),
        ("nope", "", False),
        ("double", "x", False),
    ],
)
async def test_a_model_is_ready_or_not(
    table: dict[str, Method], name: str, version: str, ready: bool
) -> None:
    message = await ask(table, "ModelReady", protos.ModelReadyRequest(name=name, version=version))
    assert protos.ModelReadyResponse.FromString(message).ready is ready


@pytest.mark.parametrize("is_ready", [True, False])
async def test_the_server_tells_the_truth_of_itself(tmp_path: Path, is_ready: bool) -> None:
    table = await open_table(tmp_path, is_ready=is_ready)
    empty = protos.ModelReadyRequest()
    assert protos.ServerLiveResponse.FromString(await ask(table, "ServerLive", empty)).live
    assert protos.ServerReadyResponse.FromString(await ask(table, "ServerReady", empty)).ready is is_ready
    metadata = protos.ServerMetadataResponse.FromString(await ask(table, "ServerMetadata", empty))
    assert (metadata.name, metadata.version) == ("tf-serving-platform", "2")
