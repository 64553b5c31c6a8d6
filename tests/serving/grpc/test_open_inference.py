"""The Open Inference Protocol over gRPC, message by message, over a fake backend."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving import open_inference as protos
from serving.backend import FakeBackend
from serving.backend.fake import signature, spec
from serving.calls import Call
from serving.grpc import Method, StatusCode
from serving.grpc.calls import finished
from serving.tensors.dtypes import BY_NAME
from serving.tensors.raw_tensors import DATATYPES, write_raw
from tests.serving.grpc.tables import open_table, refused

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
    return await open_table(tmp_path, backend=echo_backend)


INFER = f"/{protos.SERVICE}/ModelInfer"


async def ask(table: dict[str, Method], name: str, request: Any) -> bytes:
    return await finished(table[f"/{protos.SERVICE}/{name}"], request.SerializeToString(), Call())


async def infer(table: dict[str, Method], request: Any) -> Any:
    return protos.ModelInferResponse.FromString(await ask(table, "ModelInfer", request))


async def complaint(table: dict[str, Method], request: Any) -> str:
    """What is said of a question that does not fit."""
    code, text = await refused(table, INFER, request.SerializeToString())
    assert code is StatusCode.INVALID_ARGUMENT
    return text


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


def pair(*, order: str = "ab") -> Any:
    request = protos.ModelInferRequest(model_name="double", model_version="3")
    contents = {"a": np.array([[1, 2]], np.float32).tobytes(), "b": b"\1\0\0\0q"}
    for name in order:
        tensor = request.inputs.add(name=name, datatype={"a": "FP32", "b": "BYTES"}[name])
        tensor.shape.extend([1, 2] if name == "a" else [1])
        request.raw_input_contents.append(contents[name])
    return request


@pytest.mark.parametrize("order", ["ab", "ba"])
async def test_raw_contents_follow_the_order_of_the_request(table: dict[str, Method], order: str) -> None:
    response = await infer(table, pair(order=order))
    assert np.frombuffer(response.raw_output_contents[0], np.float32).tolist() == [1, 2]


# What is done to a question that fits, and what is said of it then.
WRONG: dict[str, tuple[Callable[[Any], object], str]] = {
    "no number": (lambda r: setattr(r, "model_version", "x"), "as a whole number, got x"),
    "missing": (lambda r: r.inputs.pop(), "expected the inputs a, b, got a"),
    "twice": (lambda r: r.inputs.add(name="a"), "expected the inputs a, b, got a, b, a"),
    "raw missing": (lambda r: r.raw_input_contents.pop(), "raw_input_contents for all 2 inputs"),
    "both": (lambda r: r.inputs[0].contents.fp32_contents.append(1), "no contents beside them"),
    "neither": (
        lambda r: r.ClearField("raw_input_contents"),
        "must have 2 values in fp32_contents, as its shape says, got 0",
    ),
    "datatype": (lambda r: setattr(r.inputs[0], "datatype", "INT8"), "must have datatype FP32"),
    "rank": (lambda r: r.inputs[0].shape.append(1), "got shape [1,2,1]"),
    "negative": (lambda r: resize(r, -1), "must have datatype FP32 and a shape like"),
    "size": (lambda r: resize(r, 2), "must have 16 bytes, as its shape says, got 8"),
    "output": (lambda r: r.outputs.add(name="z"), "expected some of the outputs y, got z"),
    "output twice": (lambda r: [r.outputs.add(name="y") for _ in "ab"], "got y, y"),
}


def resize(request: Any, rows: int) -> None:
    request.inputs[0].shape[0] = rows


@pytest.mark.parametrize(("change", "said"), WRONG.values(), ids=WRONG.keys())
async def test_a_wrong_question_is_refused(
    table: dict[str, Method], change: Callable[[Any], object], said: str
) -> None:
    request = pair()
    change(request)
    assert said in await complaint(table, request)


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (lambda r: setattr(r, "model_name", "nope"), StatusCode.NOT_FOUND, "Specific(nope, 3)"),
        (lambda r: setattr(r, "model_version", "9"), StatusCode.NOT_FOUND, "Specific(double, 9)"),
        (lambda r: resize(r, 2**60), StatusCode.RESOURCE_EXHAUSTED, "must be at most"),
    ],
    ids=["model", "version", "a bomb"],
)
async def test_what_is_not_there_or_too_large_has_a_code_of_its_own(
    table: dict[str, Method], change: Callable[[Any], object], code: StatusCode, said: str
) -> None:
    request = pair()
    change(request)
    answered, text = await refused(table, INFER, request.SerializeToString())
    assert (answered, said in text) == (code, True), text


@pytest.mark.parametrize(("datatype", "value"), [("INT8", 128), ("UINT8", 256), ("INT16", -(2**15) - 1)])
async def test_what_does_not_fit_its_type_is_not_cut_off(
    table: dict[str, Method], datatype: str, value: int
) -> None:
    request = question(datatype, raw=False)
    getattr(request.inputs[0].contents, CONTENTS[datatype])[0] = value
    assert f"must have values that fit {datatype}" in await complaint(table, request)


@pytest.mark.parametrize("datatype", ["FP16", "BF16"])
async def test_types_without_contents_must_come_raw(table: dict[str, Method], datatype: str) -> None:
    request = question(datatype, raw=True)
    del request.raw_input_contents[:]
    assert "must come in raw_input_contents" in await complaint(table, request)


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
    table = await open_table(tmp_path, backend=echo_backend, is_ready=is_ready)
    empty = protos.ModelReadyRequest()
    assert protos.ServerLiveResponse.FromString(await ask(table, "ServerLive", empty)).live
    assert protos.ServerReadyResponse.FromString(await ask(table, "ServerReady", empty)).ready is is_ready
    metadata = protos.ServerMetadataResponse.FromString(await ask(table, "ServerMetadata", empty))
    assert (metadata.name, metadata.version) == ("tf-serving-platform", "2")
