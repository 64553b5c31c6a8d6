"""Writes a convolutional model, the requests and the right answers, with real TensorFlow; run by `bench.models`.

    python -m bench.make_models --training FOLDER --folder FOLDER cnn         a SavedModel with variables
    python -m bench.make_models --training FOLDER --folder FOLDER requests    needs both exported models

The images are the 1000 of MNIST that training never saw. 512 different bodies are asked in turn, so that no cache and
no memory of a processor answers by accident.
"""

import argparse
import json
import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import tensorflow as tf

from serving.protos import predict_pb2

DISTINCT = 512
LARGE_ROWS = 256
SEED = 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--training", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("what", choices=["cnn", "requests"])
    options = parser.parse_args()
    if options.what == "cnn":
        write_cnn(options.folder / "cnn-source")
        return
    with np.load(options.training / "heldout.npz") as heldout:
        images = heldout["images"]
    write_rest(options.folder, images[:DISTINCT])
    write_grpc(options.folder, images)


def write_cnn(folder: Path) -> None:
    """Keras' MNIST example, conv 32, pool, conv 64, pool, dense, with random weights: speed does not ask for accuracy."""
    random = tf.random.Generator.from_seed(SEED)

    def weights(*shape: int) -> tf.Variable:
        return tf.Variable(random.normal(shape, stddev=0.05))

    module = tf.Module()
    module.kernels = [weights(3, 3, 1, 32), weights(3, 3, 32, 64), weights(1600, 10)]
    module.biases = [weights(32), weights(64), weights(10)]

    @tf.function(input_signature=[tf.TensorSpec([None, 784], tf.float32, name="images")])  # type: ignore[untyped-decorator]  # it ships no types
    def serve(images: tf.Tensor) -> dict[str, tf.Tensor]:
        layer = tf.reshape(images, [-1, 28, 28, 1])
        for kernel, bias in zip(module.kernels[:2], module.biases[:2], strict=True):
            layer = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(layer, kernel, 1, "VALID"), bias))
            layer = tf.nn.max_pool2d(layer, 2, 2, "VALID")
        logits = tf.nn.bias_add(tf.matmul(tf.reshape(layer, [-1, 1600]), module.kernels[2]), module.biases[2])
        return {"scores": tf.nn.softmax(logits)}

    tf.saved_model.save(module, str(folder), signatures=serve.get_concrete_function())


def write_rest(folder: Path, images: NDArray[np.float32]) -> None:
    rows = [row.tolist() for row in images]
    _write_bodies(folder / "rows.bin", ({"instances": [row]} for row in rows))
    _write_bodies(folder / "v2.bin", (_v2(row) for row in rows))
    np.save(folder / "images.npy", images)


def _v2(row: list[float]) -> dict[str, Any]:
    return {"inputs": [{"name": "images", "shape": [1, 784], "datatype": "FP32", "data": row}]}


def _write_bodies(path: Path, documents: Iterable[Any]) -> None:
    with path.open("wb") as file:
        for document in documents:
            body = json.dumps(document, separators=(",", ":")).encode()
            file.write(struct.pack("<I", len(body)) + body)


def write_grpc(folder: Path, images: NDArray[np.float32]) -> None:
    """One message a model, and a large one; a framed copy as h2load sends it; the right answers to the first image."""
    answers = {}
    for model in ("mnist", "cnn"):
        _write_message(folder / model, model, images[:1])
        _write_message(folder / f"{model}-large", model, images[:LARGE_ROWS])
        (version,) = (folder / "models" / model).iterdir()
        signature = tf.saved_model.load(str(version)).signatures["serving_default"]
        (scores,) = signature(images=tf.constant(images[:1])).values()
        answers[model] = scores.numpy()[0].tolist()
    (folder / "answers.json").write_text(json.dumps(answers))


def _write_message(path: Path, model: str, images: NDArray[np.float32]) -> None:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.inputs["images"].CopyFrom(tf.make_tensor_proto(images))
    message = request.SerializeToString(deterministic=True)
    path.with_suffix(".message").write_bytes(message)
    # gRPC's length-prefixed message: not compressed, four bytes of length, big endian.
    path.with_suffix(".framed").write_bytes(b"\0" + struct.pack(">I", len(message)) + message)


if __name__ == "__main__":
    main()
