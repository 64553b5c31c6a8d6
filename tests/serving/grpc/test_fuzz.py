"""Messages by a hostile hand: good ones with wounds, fields of other messages, octets at random.

Each is answered or refused by name; none is an internal error, and none changes what the next good one is answered,
although forms of requests are remembered.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving import open_inference
from serving.backend import FakeBackend
from serving.backend.fake import signature, spec
from serving.calls import Call
from serving.errors import ServingError
from serving.grpc import StatusCode, methods, status_of
from serving.grpc.calls import finished
from serving.metrics import Metrics
from serving.pipeline import Pipeline
from serving.protos import inference_pb2, predict_pb2
from serving.settings import ServingSettings
from tests.serving.worlds import double_repository

MANY = settings(max_examples=150, deadline=None)
PREDICTION = "/tensorflow.serving.PredictionService/"
INFER = f"/{open_inference.SERVICE}/ModelInfer"
PAIR = signature(
    [spec("a", "float", (None, 2)), spec("b", "string", (None,))],
    [spec("a_out", "float", (None, 2)), spec("b_out", "string", (None,))],
)


def predict_request() -> bytes:
    request = predict_pb2.PredictRequest(output_filter=["a_out"])
    request.model_spec.name = "double"
    request.model_spec.version.value = 3
    numbers, words = request.inputs["a"], request.inputs["b"]
    numbers.dtype, words.dtype = 1, 7
    for size in (2, 2):
        numbers.tensor_shape.dim.add(size=size)
    words.tensor_shape.dim.add(size=2)
    numbers.tensor_content = np.arange(4, dtype=np.float32).tobytes()
    words.string_val.extend([b"q", b"r"])
    serialized: bytes = request.SerializeToString(deterministic=True)
    return serialized


def infer_request() -> bytes:
    request = open_inference.ModelInferRequest(model_name="double", id="q")
    request.inputs.add(name="a", datatype="FP32", shape=[2, 2])
    request.inputs.add(name="b", datatype="BYTES", shape=[2])
    request.raw_input_contents.extend([np.arange(4, dtype=np.float32).tobytes(), b"\1\0\0\0q\1\0\0\0r"])
    serialized: bytes = request.SerializeToString(deterministic=True)
    return serialized


def multi_request() -> bytes:
    request = inference_pb2.MultiInferenceRequest()
    request.tasks.add(method_name="tensorflow/serving/regress").model_spec.name = "double"
    request.input.example_list.examples.add().features.feature["x"].float_list.value.append(1)
    serialized: bytes = request.SerializeToString(deterministic=True)
    return serialized


GOOD = {f"{PREDICTION}Predict": predict_request(), INFER: infer_request()}
OTHERS = [f"{PREDICTION}{name}" for name in ("Classify", "Regress", "MultiInference", "GetModelMetadata")]
PATHS = [*GOOD, *OTHERS, "/tensorflow.serving.ModelService/GetModelStatus", "/grpc.health.v1.Health/Check"]
WRONG = StatusCode.INTERNAL, StatusCode.UNKNOWN


class Asked:
    """One table for all examples."""

    def __init__(self, folder: Path) -> None:
        self._runner = asyncio.Runner()
        self._table = self._runner.run(self._open(folder))
        self.answers = {path: self.ask(path, message) for path, message in GOOD.items()}
        assert all(isinstance(answer, bytes) for answer in self.answers.values())

    async def _open(self, folder: Path) -> Any:
        metrics = Metrics()
        backend = FakeBackend([PAIR], lambda inputs: {f"{name}_out": value for name, value in inputs.items()})
        repository = await double_repository(folder, metrics=metrics, backend=lambda: backend)
        chosen = ServingSettings(max_request_bytes=100_000)
        return methods(repository, Pipeline(chosen, metrics), metrics, chosen, is_ready=lambda: True)

    def ask(self, path: str, message: bytes) -> bytes | StatusCode:
        """The answer, or the code of its refusal; anything else that happens is raised."""
        try:
            return self._runner.run(finished(self._table[path], message, Call()))
        except ServingError as error:
            return status_of(error)[0]

    def check(self, path: str, message: bytes) -> None:
        assert self.ask(path, message) not in WRONG
        for good, answer in self.answers.items():
            assert self.ask(good, GOOD[good]) == answer

    def close(self) -> None:
        self._runner.close()


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    opened = Asked(tmp_path_factory.mktemp("fuzz"))
    yield opened
    opened.close()


@MANY
@given(path=st.sampled_from(PATHS), octets=st.binary(max_size=200))
def test_octets_at_random_are_refused(asked: Asked, path: str, octets: bytes) -> None:
    asked.check(path, octets)


@MANY
@given(path=st.sampled_from(PATHS), other=st.sampled_from([*GOOD.values(), multi_request()]))
def test_a_message_for_another_method_is_refused(asked: Asked, path: str, other: bytes) -> None:
    asked.check(path, other)


@st.composite
def wounded(draw: st.DrawFn, message: bytes) -> bytes:
    """The same length is likely: that is where remembered forms are looked for."""
    octets = bytearray(message)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(octets) - 1))
        octets[place : place + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(octets)


@pytest.mark.parametrize("path", GOOD, ids=["Predict", "ModelInfer"])
@MANY
@given(data=st.data())
def test_a_message_with_wounds_is_answered_or_refused(asked: Asked, path: str, data: st.DataObject) -> None:
    asked.check(path, data.draw(wounded(GOOD[path])))


@pytest.mark.parametrize("path", GOOD, ids=["Predict", "ModelInfer"])
@pytest.mark.parametrize("value", [0, 1, 0x7F, 0x80, 0xFF])
def test_every_octet_may_be_another(asked: Asked, path: str, value: int) -> None:
    for place in range(len(GOOD[path])):
        octets = bytearray(GOOD[path])
        octets[place] = value
        assert asked.ask(path, bytes(octets)) not in WRONG
    assert asked.ask(path, GOOD[path]) == asked.answers[path]
