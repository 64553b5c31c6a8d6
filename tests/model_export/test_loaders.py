"""A servable loads wherever TensorFlow's own would: in `tf.saved_model.load`, in `saved_model_cli`, and through the C library."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_export.artifact import ExportRequest
from model_export.exporting import export
from serving.backend.loading import load_session
from serving.settings import ServingSettings
from tests.model_export.answering import answers
from tests.model_export.models.modules import MODULES

pytestmark = pytest.mark.tensorflow
MODELS = ("dense_layers", "vocabulary_file", "lstm")
"""Plain, with an asset and an initialiser, with functions and a loop."""


@pytest.fixture(scope="module", params=MODELS)
def loaded(request: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], Any]:
    """A servable, one question, and what it answers to a TensorFlow 1 session."""
    folder = tmp_path_factory.mktemp(request.param)
    inputs = MODULES[request.param](folder / "source")
    asked = ExportRequest(name="m", source=folder / "source", base_path=folder / "models")
    servable = export(asked, report=lambda _: None).path
    return servable, inputs, answers(servable, inputs)


def compare(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert found.keys() == expected.keys()
    for alias, values in expected.items():
        # Optimisers are on here: fused kernels move the last bits.
        np.testing.assert_allclose(found[alias], values, rtol=1e-5, atol=1e-7)


def test_tensorflow_2_loads_it(loaded: tuple[Path, dict[str, Any], Any]) -> None:
    import tensorflow as tf

    servable, inputs, expected = loaded
    signature = tf.saved_model.load(str(servable)).signatures["serving_default"]

    found = signature(**{alias: tf.constant(values) for alias, values in inputs.items()})

    compare({alias: each.numpy() for alias, each in found.items()}, expected)


def test_the_servers_own_loader_loads_it_through_the_c_library(
    loaded: tuple[Path, dict[str, Any], Any],
) -> None:
    servable, inputs, expected = loaded
    session = load_session(servable, ServingSettings(backend="c_api"))
    signature = session.signatures["serving_default"]

    run = session.bind(tuple(signature.inputs.values()), tuple(signature.outputs.values()))
    found = dict(zip(signature.outputs, run([inputs[alias] for alias in signature.inputs]), strict=True))
    session.close()

    compare(found, expected)


def test_saved_model_cli_shows_and_runs_it(loaded: tuple[Path, dict[str, Any], Any], tmp_path: Path) -> None:
    servable, inputs, expected = loaded
    np.savez(tmp_path / "inputs.npz", **inputs)
    place = ["--dir", str(servable)]
    asked = ["--tag_set", "serve", "--signature_def", "serving_default", "--outdir", str(tmp_path)]

    shown = saved_model_cli("show", *place, "--all")
    saved_model_cli("run", *place, *asked, *given(inputs, tmp_path / "inputs.npz"))

    assert all(f"inputs['{alias}']" in shown for alias in inputs)
    compare({alias: np.load(tmp_path / f"{alias}.npy") for alias in expected}, expected)


def given(inputs: dict[str, Any], path: Path) -> list[str]:
    """The tool takes text as Python literals only, and arrays of numbers from files."""
    words = []
    for alias, values in inputs.items():
        is_text = values.dtype == object
        words += (
            ["--input_exprs", f"{alias}={values.tolist()}"]
            if is_text
            else ["--inputs", f"{alias}={path}[{alias}]"]
        )
    return words


def saved_model_cli(*words: str) -> str:
    program = "from tensorflow.python.tools.saved_model_cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
