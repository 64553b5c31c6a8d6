"""Train a small convolutional Keras model on real MNIST images, and leave a `.keras` file.

    python examples/mnist/train_cnn.py --output-dir build/mnist-cnn

The second road to a servable: `python -m model_export export --source build/mnist-cnn/mnist.keras …` reads the Keras file. The folder
also receives `heldout.npz`, the 1000 images that training never saw, and `training.json`. Inputs are `images`, outputs `scores`, as
in the softmax regression of `train.py`, so the same client asks both.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from mnist_images import SPLIT, DataError, LabelledImages, load_split
from output_folder import filled_at_once

SEED = 1
BATCH_SIZE = 64


def main() -> int:
    """Train, report, and return the exit code."""
    args = _parse_arguments()
    try:
        training, heldout = load_split()
        with filled_at_once(args.output_dir, announced_by="mnist.keras") as scratch:
            facts = _train(scratch, training, heldout, epochs=args.epochs)
            np.savez(scratch / "heldout.npz", images=heldout.images, labels=heldout.labels)
            (scratch / "training.json").write_text(
                json.dumps(facts, indent=2, sort_keys=True) + "\n", encoding="utf-8"
            )
    except (DataError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted; no model was written", file=sys.stderr)
        return 130
    print(f"Keras file: {args.output_dir / 'mnist.keras'}")
    return 0


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Train a small convolutional network on 4000 real MNIST images."
    )
    parser.add_argument(
        "--output-dir", type=Path, required=True, help="folder for the Keras file; made if missing"
    )
    parser.add_argument(
        "--epochs", type=int, default=12, help="rounds over the training images (default: 12)"
    )
    args = parser.parse_args()
    if args.epochs < 1:
        parser.error(f"--epochs must be at least 1, got {args.epochs}")
    return args


def _train(folder: Path, training: LabelledImages, heldout: LabelledImages, *, epochs: int) -> dict[str, Any]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    keras.utils.set_random_seed(SEED)
    model = _build_model(keras)
    model.compile("adam", {"scores": "sparse_categorical_crossentropy"})
    print(f"Training on {len(training.labels)} images, {epochs} rounds of {BATCH_SIZE}")
    for epoch in range(1, epochs + 1):
        images, labels = {"images": training.images}, {"scores": training.labels}
        history = model.fit(images, labels, batch_size=BATCH_SIZE, epochs=1, verbose=0)
        print(f"  round {epoch}/{epochs}: loss {history.history['loss'][0]:.4f}", flush=True)
    print("Done training!")
    accuracies = [_accuracy(model, each) for each in (training, heldout)]
    model.save(folder / "mnist.keras")
    print(
        f"Training accuracy: {accuracies[0]:.4f}; on {len(heldout.labels)} held-out images: {accuracies[1]:.4f}"
    )
    return {
        "training_accuracy": accuracies[0],
        "test_accuracy": accuracies[1],
        "training_examples": len(training.labels),
        "test_examples": len(heldout.labels),
        "epochs": epochs,
        "split": SPLIT,
    }


def _build_model(keras: Any) -> Any:  # noqa: ANN401 - Keras ships no types
    layers = keras.layers
    images = layers.Input((784,), name="images")
    x = layers.Reshape((28, 28, 1))(images)
    for channels in (16, 32):
        x = layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.MaxPool2D()(x)
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    scores = layers.Dense(10, activation="softmax", name="scores")(x)
    return keras.Model({"images": images}, {"scores": scores}, name="mnist_cnn")


def _accuracy(model: Any, examples: LabelledImages) -> float:  # noqa: ANN401 - Keras ships no types
    scores = model.predict({"images": examples.images}, verbose=0)["scores"]
    return float(np.mean(scores.argmax(axis=1) == examples.labels))


if __name__ == "__main__":
    sys.exit(main())
