"""The models of `bin/bench export`: each as trained, with variables, frozen, and optimised; made once and kept in the cache.

Roads: MNIST softmax and EfficientNet-Lite0 come as TensorFlow 1 checkpoints, the convolutional network and Inception-v3 (random
weights, for its size) as Keras files. What each is compared with is what TensorFlow or Keras would have served.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError
from toolchain.folders import CHECKOUT, Folders
from toolchain.progress import Progress

NAMES = ("mnist", "cnn", "efficientnet", "inception")
_SOURCES = ("bench/export_*.py", "examples/**/*.py", "requirements/export.txt", "model_export/**/*.py")
_TRAINERS = {
    "mnist": ("examples/mnist/train.py",),
    "cnn": ("examples/mnist/train_cnn.py",),
    "efficientnet": ("examples/imagenet/checkpoint.py",),
}
_FLAGS = {
    "mnist": ("--outputs", "scores"),
    "cnn": (),
    "efficientnet": ("--outputs", "classes,scores"),
    "inception": (),
}


@dataclass(frozen=True, kw_only=True)
class ExportModels:
    """A folder with one folder a model."""

    folder: Path

    def source(self, model: str) -> Path:
        """What was trained: a checkpoint folder or a Keras file."""
        trained = self.folder / model / "trained"
        keras = sorted(trained.glob("*.keras"))
        return keras[0] if keras else trained

    def unfrozen(self, model: str) -> Path:
        """A SavedModel with variables, as TensorFlow's own writer or Keras' `export` leaves it."""
        return self.folder / model / "unfrozen"

    def servable(self, model: str, kind: str) -> Path:
        """Our export, `frozen` or `optimized`."""
        (version,) = (self.folder / model / kind).iterdir()
        return version


def export_words(source: Path, model: str, base_path: Path, *more: str) -> list[str]:
    """The command that exports a model, as a user types it."""
    words = [sys.executable, "-m", "model_export", "export", "--source", str(source), "--name", model]
    return [*words, "--base-path", str(base_path), *_FLAGS[model], *more]


def prepare(folders: Folders, progress: Progress) -> ExportModels:
    """The models for this state of trainers and exporter. Raises BenchError when a step of making them fails."""
    parent = folders.cache / "bench"
    target = parent / f"export-models-{_key()}"
    if not target.exists():
        scratch = parent / f".export-models-{os.getpid()}"
        shutil.rmtree(scratch, ignore_errors=True)
        for model in NAMES:
            with progress.step(f"making {model}: trained, with variables, frozen, optimised"):
                _make(ExportModels(folder=scratch), model)
        for old in parent.glob("export-models-*"):
            shutil.rmtree(old, ignore_errors=True)
        scratch.rename(target)
    return ExportModels(folder=target)


def _make(models: ExportModels, model: str) -> None:
    folder = models.folder / model
    trained = folder / "trained"
    trained.mkdir(parents=True)
    if model in _TRAINERS:
        run([sys.executable, *_TRAINERS[model], "--output-dir", str(trained)])
    else:
        run([sys.executable, "-m", "bench.export_probes", "inception", str(trained / "inception.keras")])
    run(
        [
            sys.executable,
            "-m",
            "bench.export_probes",
            "unfrozen",
            str(models.source(model)),
            str(folder / "unfrozen"),
        ]
    )
    run(export_words(models.source(model), model, folder / "frozen"))
    run(export_words(models.source(model), model, folder / "optimized", "--optimize"))


def run(words: list[str]) -> str:
    """Run a program of this checkout and return what it printed. Raises BenchError with its last line when it fails."""
    done = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise BenchError(f"`{' '.join(words[1:4])} …` ended with {done.returncode}: {last}")
    return done.stdout


def _key() -> str:
    digest = hashlib.sha256()
    for path in sorted(path for pattern in _SOURCES for path in CHECKOUT.glob(pattern)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
