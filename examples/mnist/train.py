"""Train TensorFlow Serving's softmax regression on real MNIST images, and leave a TensorFlow checkpoint.

    python examples/mnist/train.py --output-dir models/mnist-training

Training only: freezing and exporting are `python -m model_export`, serving is `python -m serving`. The graph is written the
way TensorFlow 1 writes one, because that is what most checkpoints in production come from: placeholder `images`, output node
`scores`, a Saver. The folder receives `model.ckpt-<step>.*` and `checkpoint`, `heldout.npz` with the 1000 images that training
never saw, and `training.json`. The same arguments give the same weights.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mnist_images import SPLIT, DataError, LabelledImages, load_split
from numpy.typing import NDArray
from output_folder import filled_at_once

BATCH_SIZE = 50
LEARNING_RATE = 0.01
SHUFFLE_SEED = 1


@dataclass(frozen=True, kw_only=True)
class SoftmaxRegression:
    """The tensors and the operation of the training graph that somebody feeds or fetches."""

    images: Any
    labels: Any
    scores: Any
    loss: Any
    train: Any


def main() -> int:
    """Train, report, and return the exit code."""
    args = _parse_arguments()
    try:
        training, heldout = load_split()
        with filled_at_once(args.output_dir, announced_by="checkpoint") as scratch:
            facts = _train(scratch, training, heldout, steps=args.steps)
            np.savez(scratch / "heldout.npz", images=heldout.images, labels=heldout.labels)
            (scratch / "training.json").write_text(
                json.dumps(facts, indent=2, sort_keys=True) + "\n", encoding="utf-8"
            )
    except (DataError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted; no checkpoint was written", file=sys.stderr)
        return 130
    print(f"Checkpoint: {args.output_dir / 'model.ckpt'}-{args.steps}")
    return 0


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train a softmax regression on 4000 real MNIST images.")
    parser.add_argument(
        "--output-dir", type=Path, required=True, help="folder for the checkpoint; made if missing"
    )
    parser.add_argument(
        "--steps", type=int, default=1000, help=f"training steps of {BATCH_SIZE} images (default: 1000)"
    )
    args = parser.parse_args()
    if args.steps < 1:
        parser.error(f"--steps must be at least 1, got {args.steps}")
    return args


def _train(folder: Path, training: LabelledImages, heldout: LabelledImages, *, steps: int) -> dict[str, Any]:
    tf = _import_tensorflow()
    # One thread: sums come in one order, so the same arguments give the same weights.
    one_thread = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    with tf.Graph().as_default(), tf.compat.v1.Session(config=one_thread) as session:
        model = _build_graph(tf)
        saver = tf.compat.v1.train.Saver(save_relative_paths=True)
        session.run(tf.compat.v1.global_variables_initializer())
        print(f"Training on {len(training.labels)} images, {steps} steps of {BATCH_SIZE}")
        for step, (images, labels) in enumerate(_batches(training, steps), start=1):
            loss, _ = session.run([model.loss, model.train], {model.images: images, model.labels: labels})
            if step % max(1, steps // 10) == 0:
                print(f"  step {step}/{steps}: loss {loss:.4f}", flush=True)
        print("Done training!")
        training_accuracy = _accuracy(
            session.run(model.scores, {model.images: training.images}), training.labels
        )
        test_accuracy = _accuracy(session.run(model.scores, {model.images: heldout.images}), heldout.labels)
        try:
            saver.save(session, str(folder / "model.ckpt"), global_step=steps)
        except tf.errors.OpError as error:  # what TensorFlow makes of a full disk
            raise OSError(f"the checkpoint cannot be written: {error.message}") from error
    print(
        f"Training accuracy: {training_accuracy:.4f}; on {len(heldout.labels)} held-out images: {test_accuracy:.4f}"
    )
    return {
        "training_accuracy": training_accuracy,
        "test_accuracy": test_accuracy,
        "training_examples": len(training.labels),
        "test_examples": len(heldout.labels),
        "steps": steps,
        "split": SPLIT,
    }


def _import_tensorflow() -> Any:  # noqa: ANN401 - TensorFlow ships no types
    # oneDNN's default depends on the processor, and with it the last bits of the weights.
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow

    return tensorflow


def _build_graph(tf: Any) -> SoftmaxRegression:  # noqa: ANN401 - TensorFlow ships no types
    images = tf.compat.v1.placeholder(tf.float32, [None, 784], name="images")
    labels = tf.compat.v1.placeholder(tf.int64, [None], name="labels")
    weights = tf.compat.v1.get_variable("weights", [784, 10], initializer=tf.zeros_initializer())
    biases = tf.compat.v1.get_variable("biases", [10], initializer=tf.zeros_initializer())
    global_step = tf.compat.v1.train.get_or_create_global_step()
    logits = tf.add(tf.matmul(images, weights), biases, name="logits")
    scores = tf.nn.softmax(logits, name="scores")
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    # The tutorial sums over the batch where we average; its 0.01 is our 0.01 × batch size.
    loss = tf.reduce_mean(losses, name="loss")
    optimizer = tf.compat.v1.train.GradientDescentOptimizer(LEARNING_RATE * BATCH_SIZE)
    train = optimizer.minimize(loss, global_step=global_step)
    return SoftmaxRegression(images=images, labels=labels, scores=scores, loss=loss, train=train)


def _batches(training: LabelledImages, steps: int) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
    random = np.random.RandomState(SHUFFLE_SEED)
    batches_per_epoch = len(training.labels) // BATCH_SIZE
    order = np.arange(len(training.labels))
    for step in range(steps):
        position = step % batches_per_epoch
        if position == 0:
            random.shuffle(order)
        chosen = order[position * BATCH_SIZE : (position + 1) * BATCH_SIZE]
        yield training.images[chosen], training.labels[chosen]


def _accuracy(scores: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    return float(np.mean(scores.argmax(axis=1) == labels))


if __name__ == "__main__":
    sys.exit(main())
