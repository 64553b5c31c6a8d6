"""Classify and Regress: `tf.Example`s in, classes or numbers out.

The signature has one string input that takes serialized examples, and outputs of fixed names
(tensorflow_serving/servables/tensorflow/classifier.cc and regressor.cc, whose error texts are kept).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from serving.desk import Question
from serving.errors import InvalidRequest, ModelError
from serving.protos import classification_pb2, input_pb2, regression_pb2
from serving.repository import Servable
from serving.tensors.dtypes import Array
from serving.tensors.signatures import DEFAULT_SIGNATURE, Signature, TensorSpec, shape_text

# tensorflow/cc/saved_model/signature_constants.h
CLASSIFY_METHOD, REGRESS_METHOD = "tensorflow/serving/classify", "tensorflow/serving/regress"
_INPUT, _CLASSES, _SCORES, _NUMBERS = "inputs", "classes", "scores", "outputs"


def serialize_examples(message: input_pb2.Input) -> Array:
    """The examples of an Input as object[rows] of serialized `tf.Example`s, a shared context merged into each.

    Raises InvalidRequest when there are none.
    """
    kind = message.WhichOneof("kind")
    context, examples = b"", message.example_list.examples
    if kind == "example_list_with_context":
        examples = message.example_list_with_context.examples
        # Concatenated messages are merged ones: protobuf.dev, Encoding, Last One Wins.
        context = message.example_list_with_context.context.SerializeToString()
    if not examples:
        raise InvalidRequest("Input is empty.")
    array = np.empty(len(examples), object)
    array[:] = [context + example.SerializeToString() for example in examples]
    return array


def find_signature(servable: Servable, name: str) -> Signature:
    """The named signature, or the default one. Raises InvalidRequest."""
    signature = servable.session.signatures.get(name or DEFAULT_SIGNATURE)
    if signature is None:
        raise InvalidRequest(f"No signature was found with the name: {name or DEFAULT_SIGNATURE}")
    return signature


def classify_question(signature: Signature, examples: Array) -> Question:
    """Raises InvalidRequest when the signature is none for classification."""
    wanted = [signature.outputs[alias] for alias in (_CLASSES, _SCORES) if alias in signature.outputs]
    if not wanted:
        raise InvalidRequest(
            'Expected classification signature outputs to contain at least one of "classes" or "scores". '
            f"Signature was: {_text(signature)}"
        )
    return _question(signature, examples, wanted, what="classification")


def regress_question(signature: Signature, examples: Array) -> Question:
    """Raises InvalidRequest when the signature is none for regression."""
    if _NUMBERS not in signature.outputs:
        raise InvalidRequest(f"No regression outputs found in SignatureDef: {_text(signature)}")
    return _question(signature, examples, [signature.outputs[_NUMBERS]], what="regression")


def classification_result(
    question: Question, outputs: Sequence[Array]
) -> classification_pb2.ClassificationResult:
    """One list of classes for each example. Raises ModelError when the outputs are of another shape."""
    named = _named(question, outputs)
    rows = len(question.inputs[0])
    for array in named.values():
        if array.ndim != 2 or array.shape[0] != rows:
            raise ModelError(f"Expected Tensor shape: [{rows} num_classes] but got {shape_text(array.shape)}")
    result = classification_pb2.ClassificationResult()
    labels, scores = named.get(_CLASSES), named.get(_SCORES)
    columns = (labels if labels is not None else named[_SCORES]).shape[1]
    for row in range(rows):
        classes = result.classifications.add().classes
        for column in range(columns):
            entry = classes.add()
            if labels is not None:
                entry.label = labels[row, column].decode(errors="replace")
            if scores is not None:
                entry.score = scores[row, column]
    return result


def regression_result(question: Question, outputs: Sequence[Array]) -> regression_pb2.RegressionResult:
    """One number for each example. Raises ModelError when the output is of another shape."""
    (numbers,) = outputs
    rows = len(question.inputs[0])
    if numbers.shape not in {(rows,), (rows, 1)}:
        raise ModelError(
            f"Expected output Tensor shape to be either [{rows}] or [{rows}, 1] but got {shape_text(numbers.shape)}"
        )
    result = regression_pb2.RegressionResult()
    for value in numbers.ravel().tolist():
        result.regressions.add(value=value)
    return result


def _question(signature: Signature, examples: Array, outputs: list[TensorSpec], *, what: str) -> Question:
    if len(signature.inputs) != 1:
        raise InvalidRequest("Expected one input Tensor.")
    spec = signature.inputs.get(_INPUT)
    if spec is None or not spec.dtype.is_string:
        raise InvalidRequest(f"No {what} inputs found in SignatureDef: {_text(signature)}")
    return Question(signature=signature, inputs=[examples], outputs=outputs)


def _named(question: Question, outputs: Sequence[Array]) -> Mapping[str, Array]:
    return {spec.alias: array for spec, array in zip(question.outputs, outputs, strict=True)}


def _text(signature: Signature) -> str:
    inputs, outputs = (", ".join(map(str, specs.values())) for specs in (signature.inputs, signature.outputs))
    return f"{signature.name}({inputs}) -> ({outputs})"
