"""The verbs `verify` and `evaluate`, as an operator runs them."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from model_export.artifact import ExportRequest
from model_export.exporting import export
from model_export.warmup import GOLDEN_PATH, WARMUP_PATH, read_golden
from tests.model_export.models.tensorflow1 import CHECKPOINTS

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checking") / "training"
    CHECKPOINTS["resource_variables"][0](folder)
    return folder


@pytest.fixture(scope="module")
def servable(training: Path) -> Path:
    asked = ExportRequest(name="m", source=training, base_path=training.parent / "models", outputs=("y",))
    return export(asked, report=lambda _: None).path


def run(*words: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "model_export", *(str(each) for each in words)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def last_json(shown: subprocess.CompletedProcess[str]) -> dict[str, object]:
    found = json.loads(shown.stdout.splitlines()[-1])
    assert isinstance(found, dict)
    return found


def test_a_servable_equals_its_golden_requests(servable: Path) -> None:
    shown = run("verify", servable, "--json")

    assert shown.returncode == 0, shown.stderr
    assert last_json(shown)["exchanges"] == 3


def test_a_servable_equals_its_source(servable: Path, training: Path) -> None:
    shown = run("verify", servable, "--source", training, "--outputs", "y")

    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines()[-1].startswith("Equal: 3 batches")


def test_another_model_is_told_by_output_and_exits_with_3(servable: Path, tmp_path: Path) -> None:
    import tensorflow as tf

    v1 = tf.compat.v1
    (tmp_path / "other").mkdir()
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        tf.identity(x @ v1.get_variable("w", initializer=np.ones((4, 3), np.float32)), name="y")
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(tmp_path / "other" / "model.ckpt"), global_step=7)

    shown = run("verify", servable, "--source", tmp_path / "other", "--outputs", "y")

    assert shown.returncode == 3
    assert "expected output 'y' of signature 'serving_default' to answer as the source does" in shown.stderr


def test_accuracy_is_measured_by_metric(servable: Path, tmp_path: Path) -> None:
    (golden, *_) = read_golden(servable)
    best = golden.outputs["y"].argmax(axis=1)
    np.savez(tmp_path / "right.npz", x=golden.inputs["x"], labels=best)
    np.savez(tmp_path / "wrong.npz", x=golden.inputs["x"], labels=(best + 1) % 3)

    assert last_json(run("evaluate", servable, "--data", tmp_path / "right.npz", "--json"))["value"] == 1.0
    assert last_json(run("evaluate", servable, "--data", tmp_path / "wrong.npz", "--json"))["value"] == 0.0
    top_5 = run("evaluate", servable, "--data", tmp_path / "wrong.npz", "--metric", "top_5", "--json")
    assert last_json(top_5) == {"examples": 1, "metric": "top_5", "value": 1.0}


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"x": np.zeros((2, 4), np.float32)}, "expected inputs and `labels`, equally long"),
        (
            {"x": np.zeros((2, 4), np.float32), "labels": np.zeros(3)},
            "expected inputs and `labels`, equally long",
        ),
        ({"images": np.zeros((2, 4), np.float32), "labels": np.zeros(2)}, r"expected example arrays \['x'\]"),
        (
            {"x": np.zeros((2, 5), np.float32), "labels": np.zeros(2)},
            "expected examples that 'serving_default' takes",
        ),
        ({"x": np.array([{}, {}]), "labels": np.zeros(2)}, "expected arrays without pickled objects"),
    ],
    ids=["no labels", "unequal lengths", "another name", "another shape", "pickled objects"],
)
def test_unfit_examples_are_one_sentence(
    arrays: dict[str, np.ndarray], reason: str, servable: Path, tmp_path: Path
) -> None:
    np.savez(tmp_path / "data.npz", **arrays)

    shown = run("evaluate", servable, "--data", tmp_path / "data.npz")

    assert shown.returncode == 1
    assert re.search(reason, shown.stderr.splitlines()[-1])


def test_tensorflow_reads_the_warm_up_records_one_per_batch_size(servable: Path) -> None:
    import tensorflow as tf
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

    records = [each.numpy() for each in tf.data.TFRecordDataset(str(servable / WARMUP_PATH))]

    requests = [PredictionLog.FromString(each).predict_log.request for each in records]
    assert [each.model_spec.name for each in requests] == ["m"] * 3
    assert [tf.make_ndarray(each.inputs["x"]).shape for each in requests] == [(1, 4), (8, 4), (32, 4)]


def test_a_flipped_byte_in_the_golden_requests_is_noticed(servable: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(servable, tmp_path / "7"))
    content = bytearray((copy / GOLDEN_PATH).read_bytes())
    content[40] ^= 1
    (copy / GOLDEN_PATH).write_bytes(content)

    shown = run("verify", copy)

    assert shown.returncode == 1
    assert "expected intact TFRecords" in shown.stderr
