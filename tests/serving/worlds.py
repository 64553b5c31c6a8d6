"""Small worlds to test in: models on disk that a fake backend answers for."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from serving.backend import FakeBackend
from serving.backend.fake import signature, spec
from serving.metrics import Metrics
from serving.repository import ModelSource, Reconciler, Repository, ServableLoader
from serving.tensors.dtypes import Array

DOUBLE = signature([spec("x", "float", (None, 2))], [spec("y", "float", (None, 2))])
PAIR = signature(
    [spec("a", "float", (None,)), spec("b", "string", (None,))],
    [spec("sum", "float", (None,)), spec("text", "string", (None,))],
    name="pair",
)
BROKEN = signature([spec("x", "float", (None,))], [spec("y", "float", (None,))], name="broken")


def answer(inputs: Mapping[str, Array]) -> Mapping[str, Array]:
    """`y` is twice `x`; `sum` is a + 1 and `text` is b in capitals; one axis too few for `broken`."""
    if "x" in inputs and inputs["x"].ndim == 1:
        raise RuntimeError("a defect, with a secret path in it: /secret")
    if "x" in inputs:
        return {"y": inputs["x"] * np.float32(2)}
    text = np.array([value.upper() for value in inputs["b"]], object)
    return {"sum": inputs["a"] + np.float32(1), "text": text}


def double_backend() -> FakeBackend:
    return FakeBackend([DOUBLE, PAIR, BROKEN], answer)


def write_versions(base_path: Path, *versions: int) -> Path:
    """Version folders as an exporter leaves them; their graph is empty, for a fake backend."""
    for version in versions:
        folder = base_path / str(version)
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").touch()
    return base_path


async def double_repository(
    folder: Path, *, metrics: Metrics | None = None, backend: Callable[[], FakeBackend] = double_backend
) -> Repository:
    """A repository that serves the model `double`, version 3, known as `stable`."""
    repository = Repository(metrics or Metrics())
    loader = ServableLoader(load=lambda _folder: backend(), tries_out=False)
    base_path = write_versions(folder / "double", 3)
    await Reconciler(repository, loader).configure(
        [ModelSource(name="double", base_path=base_path, labels={"stable": 3})]
    )
    return repository
