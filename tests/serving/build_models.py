"""Writes the small SavedModels that the tests serve, with real TensorFlow: `python build_models.py FOLDER`."""

import json
import sys
from pathlib import Path

import tensorflow as tf

DTYPES = [
    "float32",
    "float64",
    "int32",
    "uint8",
    "int16",
    "int8",
    "string",
    "complex64",
    "int64",
    "bool",
    "bfloat16",
    "uint16",
    "complex128",
    "float16",
    "uint32",
    "uint64",
]


class Dense(tf.Module):
    """Softmax of a linear layer; the weights are variables."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = tf.Variable(tf.reshape(tf.range(12, dtype=tf.float32), [4, 3]) / 10)

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])
    def __call__(self, x):
        logits = x @ self.weights
        return {"probabilities": tf.nn.softmax(logits), "classes": tf.argmax(logits, axis=1)}


class Dtypes(tf.Module):
    """Answers each input as it came, in every data type."""

    @tf.function(input_signature=[tf.TensorSpec([None, 2], name, name=name) for name in DTYPES])
    def __call__(self, *values):
        return {f"{name}_out": tf.identity(value) for name, value in zip(DTYPES, values, strict=True)}


class Words(tf.Module):
    """Strings in, strings and their lengths out."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def __call__(self, text):
        return {"upper": tf.strings.upper(text), "length": tf.strings.length(text), "raw_bytes": text}


class Noise(tf.Module):
    """Another answer every time."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def __call__(self, x):
        return {"y": x + tf.random.uniform(tf.shape(x))}


class Strict(tf.Module):
    """Refuses negative numbers when it runs; has no batch axis."""

    @tf.function(input_signature=[tf.TensorSpec([], tf.float32, name="x")])
    def __call__(self, x):
        with tf.control_dependencies([tf.debugging.assert_non_negative(x, message="x must not be negative")]):
            return {"root": tf.sqrt(x)}


def write_module(module: tf.Module, folder: Path) -> None:
    tf.saved_model.save(module, str(folder), signatures=module.__call__.get_concrete_function())


def write_half_plus_two(folder: Path, offset: float) -> None:
    """The model of TensorFlow Serving's own examples, frozen: constants, no variables, in TensorFlow 1's style.

    It has a predict, a regress and a classify signature, the latter two on serialized tf.Example.
    """
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        examples = v1.placeholder(tf.string, [None], name="tf_example")
        parsed = tf.io.parse_example(examples, {"x": tf.io.FixedLenFeature([1], tf.float32)})
        x = tf.identity(parsed["x"], name="x")
        y = tf.add(x * 0.5, offset, name="y")
        labels = tf.fill(tf.shape(y), "number")
        info = tf.compat.v1.saved_model.utils.build_tensor_info
        builder = v1.saved_model.Builder(str(folder))
        signatures = {
            "serving_default": v1.saved_model.build_signature_def(
                {"x": info(x)}, {"y": info(y)}, "tensorflow/serving/predict"
            ),
            "regress_x_to_y": v1.saved_model.build_signature_def(
                {"inputs": info(examples)}, {"outputs": info(y)}, "tensorflow/serving/regress"
            ),
            "classify_x_to_y": v1.saved_model.build_signature_def(
                {"inputs": info(examples)},
                {"classes": info(labels), "scores": info(y)},
                "tensorflow/serving/classify",
            ),
        }
        builder.add_meta_graph_and_variables(session, ["serve"], signature_def_map=signatures)
        builder.save()


def write_decimal(folder: Path) -> None:
    """Texts to numbers, doubled; `parsed:0` is marked as the preprocessed tensor in a manifest."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        text = v1.placeholder(tf.string, [None], name="text")
        parsed = tf.strings.to_number(text, name="parsed")
        y = tf.multiply(parsed, 2.0, name="y")
        info = v1.saved_model.utils.build_tensor_info
        signature = v1.saved_model.build_signature_def(
            {"text": info(text)}, {"y": info(y)}, "tensorflow/serving/predict"
        )
        builder = v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(
            session, ["serve"], signature_def_map={"serving_default": signature}
        )
        builder.save()
    mark = {"tensor": "parsed:0", "dtype": "float32", "shape": [None]}
    tuning = {"backend_profile": "thread_pool", "onednn": "on"}
    (folder / "manifest.json").write_text(
        json.dumps({"accuracy": {"value": 0.5}, "extra": {"preprocessed": mark, "tuning": tuning}})
    )


def main() -> None:
    root = Path(sys.argv[1])
    write_decimal(root / "decimal" / "1")
    write_half_plus_two(root / "half_plus_two" / "1", 2.0)
    write_half_plus_two(root / "half_plus_two" / "2", 3.0)
    for name, module in (
        ("dense", Dense()),
        ("dtypes", Dtypes()),
        ("words", Words()),
        ("noise", Noise()),
        ("strict", Strict()),
    ):
        write_module(module, root / name / "1")


if __name__ == "__main__":
    main()
