"""A server's doors, REST and gRPC, asked once: is the answer right? A fast wrong answer is no answer.

The numbers are compared with TensorFlow's own, whatever envelope a framework puts around them.
"""

import http.client
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import grpc

from bench.errors import WrongAnswer
from bench.models import Models
from serving.protos import predict_pb2

PREDICT = "/tensorflow.serving.PredictionService/Predict"
# float32 through decimal text and other kernels: the last bits may differ.
TOLERANCE = 1e-4
PATIENCE_SECONDS = 10
LARGEST_MESSAGE_BYTES = 64 << 20


@dataclass(frozen=True, kw_only=True)
class RestDoor:
    """How a server is asked over HTTP."""

    path: str = "/v1/models/mnist:predict"
    bodies: str = "rows"
    model: str = "mnist"
    is_constant: bool = False
    """It answers the same to everything: only its status is looked at."""

    def is_right(self, port: int, models: Models) -> bool:
        """False while nobody answers 200 there; raises WrongAnswer when the scores are not the model's."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", self.path, models.first_body(self.bodies), headers)
            response = connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        if response.status != http.client.OK:
            return False
        if not self.is_constant:
            _compare(_lists_of_numbers(json.loads(text)), models.answer(self.model))
        return True


@dataclass(frozen=True, kw_only=True)
class GrpcDoor:
    """How a server is asked over gRPC."""

    model: str = "mnist"

    def is_right(self, port: int, models: Models) -> bool:
        """False while nobody answers OK there; raises WrongAnswer when the scores are not the model's."""
        try:
            answer = self.ask(port, models)
        except grpc.RpcError:
            return False
        response = predict_pb2.PredictResponse.FromString(answer)
        _compare([_numbers_of(tensor) for tensor in response.outputs.values()], models.answer(self.model))
        return True

    def ask(self, port: int, models: Models) -> bytes:
        """The serialized answer to the model's one message. Raises grpc.RpcError."""
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            call = channel.unary_unary(PREDICT, request_serializer=None, response_deserializer=None)
            return bytes(call(models.message(self.model), timeout=PATIENCE_SECONDS))


def _lists_of_numbers(document: Any) -> Iterator[list[float]]:  # noqa: ANN401 - any JSON
    if isinstance(document, dict):
        for value in document.values():
            yield from _lists_of_numbers(value)
    elif isinstance(document, list):
        if document and all(isinstance(value, (int, float)) for value in document):
            yield document
        else:
            for value in document:
                yield from _lists_of_numbers(value)


def _numbers_of(tensor: Any) -> list[float]:  # noqa: ANN401 - a generated message
    import numpy as np

    if tensor.tensor_content:
        return [float(value) for value in np.frombuffer(tensor.tensor_content, np.float32)]
    return list(tensor.float_val)


def _compare(received: Iterator[list[float]] | list[list[float]], expected: Sequence[float]) -> None:
    candidates = [numbers for numbers in received if len(numbers) == len(expected)]
    if not any(
        all(math.isclose(a, b, abs_tol=TOLERANCE) for a, b in zip(numbers, expected, strict=True))
        for numbers in candidates
    ):
        raise WrongAnswer(
            f"expected the scores {expected}, got {candidates}; the model or the path is another one"
        )
