"""The models that everybody serves and the requests that everybody is asked, made once and kept in the cache.

Softmax is the project's own road: `examples/mnist/train.py`, then `python -m model_export export` with its accuracy. The
convolutional model is exported by the same command from a SavedModel with random weights.
"""

import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError
from toolchain.folders import CHECKOUT, Folders
from toolchain.progress import Progress

# The exporter's own code is left out but for its manifest: models would be made anew at every edit of it.
_SOURCES = (
    "bench/make_models.py",
    "examples/mnist/*.py",
    "requirements/export.txt",
    "model_export/artifact.py",
)


@dataclass(frozen=True, kw_only=True)
class Models:
    """A folder of model base paths and request files."""

    folder: Path

    def base_path(self, model: str) -> Path:
        return self.folder / "models" / model

    def version_folder(self, model: str) -> Path:
        (version,) = self.base_path(model).iterdir()
        return version

    def bodies(self, name: str) -> Path:
        """Request bodies, each after its length: `rows` of TensorFlow Serving's API, or `v2` inputs."""
        return self.folder / f"{name}.bin"

    def first_body(self, name: str) -> bytes:
        with self.bodies(name).open("rb") as file:
            (size,) = struct.unpack("<I", file.read(4))
            return file.read(size)

    def message(self, name: str) -> bytes:
        """A serialized PredictRequest."""
        return (self.folder / f"{name}.message").read_bytes()

    def framed(self, name: str) -> Path:
        """The same as gRPC frames it."""
        return self.folder / f"{name}.framed"

    def answer(self, model: str) -> list[float]:
        """The scores of the first image, by TensorFlow itself."""
        answers: dict[str, list[float]] = json.loads((self.folder / "answers.json").read_text())
        return answers[model]


def prepare(folders: Folders, progress: Progress) -> Models:
    """The models for this state of trainer and exporter. Raises BenchError when a step of making them fails."""
    parent = folders.cache / "bench"
    target = parent / f"models-{_key()}"
    if not target.is_dir():
        parent.mkdir(parents=True, exist_ok=True)
        building = parent / f"models.{os.getpid()}.partial"
        shutil.rmtree(building, ignore_errors=True)
        with progress.step("models and requests") as step:
            for words in _steps(building):
                step.note = " ".join(words[1:4])
                _run([sys.executable, *words])
            building.rename(target)
            step.note = str(target)
    return Models(folder=target)


def _steps(folder: Path) -> Iterable[list[str]]:
    training, models = folder / "training", folder / "models"
    make = ["-m", "bench.make_models", f"--training={training}", f"--folder={folder}"]
    export = ["-m", "model_export", "export"]
    yield ["examples/mnist/train.py", f"--output-dir={training}"]
    yield [
        *export, f"--source={training}", "--outputs=scores", "--signature=predict_images", "--name=mnist",
        f"--base-path={models / 'mnist'}", f"--evaluate={training / 'heldout.npz'}",
    ]  # fmt: skip
    yield [*make, "cnn"]
    yield [*export, f"--source={folder / 'cnn-source'}", "--name=cnn", f"--base-path={models / 'cnn'}"]
    yield [*make, "requests"]


def _run(command: list[str]) -> None:
    outcome = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True)
    if outcome.returncode:
        said = (outcome.stderr.strip() or outcome.stdout.strip())[-800:]
        raise BenchError(
            f"the models cannot be made: {' '.join(command)} ended with {outcome.returncode}:\n{said}"
        )


def _key() -> str:
    digest = hashlib.sha256()
    for pattern in _SOURCES:
        for path in sorted(CHECKOUT.glob(pattern)):
            digest.update(path.relative_to(CHECKOUT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]
