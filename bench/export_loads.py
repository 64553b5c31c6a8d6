"""Loads of one model through TensorFlow's C library, in turns, by CPU time of this process.

    python -m bench.export_loads UNFROZEN FROZEN OPTIMIZED [--turns N]

The first turn is told apart: it pays for what TensorFlow does once a process (devices, kernels, fresh memory) and is called cold.
The others are what a model costs. Loads are the server's own (`serving.backend`), which leaves the optimiser out where the manifest
says that its work is done. The last line printed is a JSON object.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

TURNS = 5
PHOTO = Path(__file__).parent.parent / "examples" / "imagenet" / "cat.jpg"


@dataclass(frozen=True, kw_only=True)
class Turn:
    """CPU seconds of one load."""

    load: float
    first: float
    """Load and first answer."""


def measure(folders: Mapping[str, Path], turns: int) -> dict[str, float]:
    """Load every folder in every turn, the order turned round each time; return seconds by figure."""
    taken: dict[str, list[Turn]] = {kind: [] for kind in folders}
    for number in range(turns + 1):
        for kind in folders if number % 2 == 0 else reversed(list(folders)):
            taken[kind].append(_load(folders[kind]))
    return {
        f"{figure}_seconds": value for kind, each in taken.items() for figure, value in figures(kind, each)
    }


def figures(kind: str, turns: list[Turn]) -> Iterator[tuple[str, float]]:
    """The cold turn, and the median of the others."""
    cold, *warm = turns
    yield f"load_{kind}", statistics.median(each.load for each in warm)
    yield f"first_{kind}", statistics.median(each.first for each in warm)
    yield f"cold_load_{kind}", cold.load
    yield f"cold_first_{kind}", cold.first


def example(shape: tuple[int | None, ...] | None, *, is_text: bool) -> Any:  # noqa: ANN401 - arrays of any type
    """One row of input: zeros, or a photo where the model takes text."""
    if is_text:
        return np.array([PHOTO.read_bytes()], dtype=object)
    return np.zeros([size or 1 for size in shape or (1,)], np.float32)


def _load(folder: Path) -> Turn:
    from serving.backend.library import open_library
    from serving.backend.native import NativeSession
    from serving.backend.profile import choose_profile
    from serving.settings import ServingSettings

    library, profile = (
        open_library(""),
        choose_profile(ServingSettings(backend_profile="thread_pool"), folder),
    )
    began = time.process_time()
    session = NativeSession(library, folder, tags=["serve"], profile=profile)
    loaded = time.process_time()
    signature = session.signatures["serving_default"]
    inputs, outputs = tuple(signature.inputs.values()), tuple(signature.outputs.values())
    session.bind(inputs, outputs)([example(each.shape, is_text="string" in str(each)) for each in inputs])
    answered = time.process_time()
    session.close()
    return Turn(load=loaded - began, first=answered - began)


def main() -> None:
    """Measure and print."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    parser = argparse.ArgumentParser(description=__doc__)
    for kind in ("unfrozen", "frozen", "optimized"):
        parser.add_argument(kind, type=Path)
    parser.add_argument("--turns", type=int, default=TURNS)
    options = parser.parse_args()
    folders = {kind: getattr(options, kind) for kind in ("unfrozen", "frozen", "optimized")}
    print(json.dumps(measure(folders, options.turns)))


if __name__ == "__main__":
    main()
