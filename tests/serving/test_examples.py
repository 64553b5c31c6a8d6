from typing import Any

import numpy as np
import pytest

from serving import examples
from serving.backend import FakeBackend
from serving.backend.fake import signature, spec
from serving.errors import InvalidRequest, ModelError
from serving.protos import example_pb2, input_pb2
from serving.repository import Servable
from serving.tensors.signatures import Signature

INPUTS = [spec("inputs", "string", (None,))]
CLASSIFY = signature(
    INPUTS,
    [spec("classes", "string", (None, None)), spec("scores", "float", (None, None))],
    method=examples.CLASSIFY_METHOD,
)
REGRESS = signature(INPUTS, [spec("outputs", "float", (None,))], method=examples.REGRESS_METHOD)
ROWS = np.array([b"1", b"2"], object)


def example(**features: float) -> example_pb2.Example:
    message = example_pb2.Example()
    for name, value in features.items():
        message.features.feature[name].float_list.value.append(value)
    return message


def test_examples_are_serialized_one_by_one() -> None:
    message = input_pb2.Input()
    message.example_list.examples.extend([example(x=1), example(x=2)])
    rows = examples.serialize_examples(message)
    assert [example_pb2.Example.FromString(row) for row in rows] == [example(x=1), example(x=2)]


def test_a_context_is_merged_into_every_example() -> None:
    message = input_pb2.Input()
    message.example_list_with_context.context.CopyFrom(example(shared=7))
    message.example_list_with_context.examples.extend([example(x=1), example(x=2)])
    rows = examples.serialize_examples(message)
    merged = [example_pb2.Example.FromString(row) for row in rows]
    assert merged == [example(shared=7, x=1), example(shared=7, x=2)]


def test_no_examples_are_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"Input is empty\."):
        examples.serialize_examples(input_pb2.Input())


def test_classes_and_scores_become_lists() -> None:
    question = examples.classify_question(CLASSIFY, ROWS)
    labels = np.array([[b"a", b"b"], [b"c", b"d"]], object)
    result = examples.classification_result(question, [labels, np.float32([[0.5, 0.25], [1, 0]])])
    assert [[(entry.label, entry.score) for entry in row.classes] for row in result.classifications] == [
        [("a", 0.5), ("b", 0.25)],
        [("c", 1.0), ("d", 0.0)],
    ]


def test_scores_alone_are_enough() -> None:
    question = examples.classify_question(signature(INPUTS, [spec("scores", "float", (None, None))]), ROWS)
    result = examples.classification_result(question, [np.float32([[0.5], [1]])])
    assert [[(entry.label, entry.score) for entry in row.classes] for row in result.classifications] == [
        [("", 0.5)],
        [("", 1.0)],
    ]


@pytest.mark.parametrize("shape", [(2,), (2, 1)])
def test_numbers_become_regressions(shape: tuple[int, ...]) -> None:
    question = examples.regress_question(REGRESS, ROWS)
    result = examples.regression_result(question, [np.float32([1.5, 2.5]).reshape(shape)])
    assert [entry.value for entry in result.regressions] == [1.5, 2.5]


@pytest.mark.parametrize("shape", [(1,), (2, 2), ()])
def test_a_regression_of_another_shape_is_the_models_fault(shape: tuple[int, ...]) -> None:
    question = examples.regress_question(REGRESS, ROWS)
    with pytest.raises(ModelError, match="Expected output Tensor shape to be either"):
        examples.regression_result(question, [np.zeros(shape, np.float32)])


def test_classes_of_another_shape_are_the_models_fault() -> None:
    question = examples.classify_question(CLASSIFY, ROWS)
    with pytest.raises(ModelError, match="Expected Tensor shape"):
        examples.classification_result(question, [np.array([b"a", b"b"], object), np.zeros(2, np.float32)])


@pytest.mark.parametrize(
    ("described", "complaint"),
    [
        pytest.param(
            signature(INPUTS, [spec("y", "float", (None,))]), "to contain at least one of", id="outputs"
        ),
        pytest.param(signature([], CLASSIFY.outputs.values()), "Expected one input Tensor", id="no input"),  # type: ignore[arg-type]
        pytest.param(
            signature([spec("x", "string", (None,))], list(CLASSIFY.outputs.values())),
            "No classification inputs found",
            id="input's name",
        ),
        pytest.param(
            signature([spec("inputs", "float", (None,))], list(CLASSIFY.outputs.values())),
            "No classification inputs found",
            id="input's type",
        ),
    ],
)
def test_a_signature_for_something_else_is_refused(described: Signature, complaint: str) -> None:
    with pytest.raises(InvalidRequest, match=complaint):
        examples.classify_question(described, ROWS)


def test_an_unknown_signature_is_refused() -> None:
    backend: Any = FakeBackend([CLASSIFY], lambda inputs: inputs)
    servable = Servable(name="m", version=1, session=backend)
    with pytest.raises(InvalidRequest, match="No signature was found with the name: nope"):
        examples.find_signature(servable, "nope")
