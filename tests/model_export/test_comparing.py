"""How far a candidate is from the version that serves, on real models that are wrong in different ways."""

from pathlib import Path

import numpy as np
import pytest

from model_export.artifact import ExportRequest, ModelArtifact
from model_export.comparison import Comparison, compared
from model_export.exporting import export

pytestmark = pytest.mark.tensorflow

WEIGHTS = np.arange(1, 13, dtype=np.float32).reshape(4, 3)


def servable(folder: Path, weights: np.ndarray, *, step: int) -> ModelArtifact:
    import tensorflow as tf

    v1 = tf.compat.v1
    folder.mkdir(parents=True)
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        tf.identity(x @ v1.get_variable("w", initializer=weights), name="y")
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(folder / "model.ckpt"), global_step=step)
    asked = ExportRequest(name="m", source=folder, base_path=folder / "models", outputs=("y",))
    return export(asked, report=lambda _: None)


@pytest.fixture(scope="module")
def stable(tmp_path_factory: pytest.TempPathFactory) -> ModelArtifact:
    return servable(tmp_path_factory.mktemp("comparing") / "stable", WEIGHTS, step=1)


CANDIDATES = {
    "the same weights": (WEIGHTS, 0.0, 1.0),
    "one hundredth more": (WEIGHTS * np.float32(1.01), 0.01, 1.0),
    "silence": (np.zeros_like(WEIGHTS), 1.0, None),
    "twice as loud": (WEIGHTS * 2, 1.0, 1.0),
}


@pytest.mark.parametrize(
    ("weights", "distance", "agreement"),
    CANDIDATES.values(),
    ids=[name.replace(" ", "-") for name in CANDIDATES],
)
def test_the_distance_is_relative_to_what_the_stable_version_says(
    weights: np.ndarray, distance: float, agreement: float | None, stable: ModelArtifact, tmp_path: Path
) -> None:
    found = compared(stable, servable(tmp_path / "candidate", weights, step=2), kept_in=tmp_path / "kept")

    # float32 sums of a dozen terms: seven digits
    assert found.distance == pytest.approx(distance, abs=1e-6)
    assert (found.questions, found.output, found.faults) == (3, "serving_default.y", ())
    assert agreement is None or found.agreement == agreement


def test_what_no_limit_forgives_is_named(stable: ModelArtifact, tmp_path: Path) -> None:
    poisoned = servable(tmp_path / "nan", WEIGHTS * np.float32("nan"), step=2)
    wider = servable(tmp_path / "wider", np.ones((4, 5), np.float32), step=2)

    (of_nan,) = compared(stable, poisoned, kept_in=tmp_path / "kept").faults
    assert of_nan == "serving_default.y holds NaN or infinity where the stable version has a number"
    faults = compared(stable, wider, kept_in=tmp_path / "kept").faults
    assert faults[0].startswith("serving_default.y has shape [") and faults[0].endswith(", 3]")


def test_a_pair_is_compared_once(
    stable: ModelArtifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate = servable(tmp_path / "candidate", WEIGHTS + 1, step=2)
    first = compared(stable, candidate, kept_in=tmp_path / "kept")
    monkeypatch.setenv("TF_SERVING_PLATFORM_EXPORT_PYTHON", "/no/interpreter")

    assert compared(stable, candidate, kept_in=tmp_path / "kept") == first
    (kept,) = (tmp_path / "kept").iterdir()
    assert Comparison.from_json(kept.read_text()) == first
