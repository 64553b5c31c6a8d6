"""What becomes visible in a model's folder, and when."""

import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_export import steps
from model_export.artifact import ExportRequest, Manifest, ModelArtifact
from model_export.errors import VersionExistsError
from model_export.exporting import export
from model_export.standing import is_whole
from tests.model_export.models.tensorflow1 import CHECKPOINTS

pytestmark = pytest.mark.tensorflow


@pytest.fixture
def asked(tmp_path: Path) -> ExportRequest:
    CHECKPOINTS["resource_variables"][0](tmp_path / "training")
    return ExportRequest(
        name="m", source=tmp_path / "training", base_path=tmp_path / "models", outputs=("y",)
    )


def run(asked: ExportRequest, report: Any = lambda _: None) -> ModelArtifact:
    return export(asked, report=report)


def words(asked: ExportRequest) -> list[str]:
    flags = [
        "--source",
        str(asked.source),
        "--name",
        asked.name,
        "--base-path",
        str(asked.base_path),
        "--outputs",
        "y",
    ]
    return [sys.executable, "-m", "model_export", "export", *flags]


def test_the_manifest_tells_the_model_without_loading_it(asked: ExportRequest) -> None:
    manifest = Manifest.read(run(asked).path)

    assert (manifest.name, manifest.version, manifest.source.name, manifest.source.step) == (
        "m",
        7,
        "model.ckpt-7",
        7,
    )
    (signature,) = manifest.signatures
    assert [(each.name, each.dtype, each.shape) for each in signature.inputs] == [("x", "float32", (None, 4))]
    assert [(each.name, each.dtype, each.shape) for each in signature.outputs] == [
        ("y", "float32", (None, 3))
    ]
    assert manifest.size_bytes == manifest.files["saved_model.pb"].size_bytes


def test_a_second_export_of_the_same_source_does_nothing(asked: ExportRequest) -> None:
    first = run(asked)
    before = {path: path.stat().st_mtime_ns for path in first.path.rglob("*")}
    lines: list[str] = []

    second = run(asked, lines.append)

    assert second == first
    assert lines == [f"Nothing to do: {first.path} was exported from this source."]
    assert {path: path.stat().st_mtime_ns for path in first.path.rglob("*")} == before


def test_the_same_version_with_other_content_is_refused_and_the_old_one_stays(
    asked: ExportRequest, tmp_path: Path
) -> None:
    first = run(asked)
    CHECKPOINTS["a_variable_as_output"][0](tmp_path / "different")

    with pytest.raises(VersionExistsError, match="choose a higher --version"):
        run(replace(asked, source=tmp_path / "different"))

    assert Manifest.read(first.path) == first.manifest
    assert [each.name for each in asked.base_path.iterdir()] == ["7"]


def test_new_facts_about_the_same_model_reach_the_manifest_alone(
    asked: ExportRequest, tmp_path: Path
) -> None:
    first = run(asked)
    np.savez(tmp_path / "heldout.npz", x=np.eye(4, dtype=np.float32), labels=np.zeros(4, np.int64))

    second = run(replace(asked, evaluate=tmp_path / "heldout.npz"))

    assert second.digest == first.digest
    assert second.manifest.files == first.manifest.files
    assert second.manifest.accuracy is not None
    assert second.manifest.accuracy.examples == 4
    assert Manifest.read(first.path) == second.manifest


def test_a_folder_that_is_no_export_is_never_touched(asked: ExportRequest) -> None:
    (asked.base_path / "7").mkdir(parents=True)
    (asked.base_path / "7" / "saved_model.pb").write_text("somebody's")

    with pytest.raises(VersionExistsError, match="received a folder without manifest"):
        run(asked)

    assert (asked.base_path / "7" / "saved_model.pb").read_text() == "somebody's"


def test_a_damaged_version_is_not_taken_for_the_model(asked: ExportRequest) -> None:
    (run(asked).path / "saved_model.pb").write_bytes(b"flipped")

    with pytest.raises(VersionExistsError, match="received damaged ones"):
        run(asked)


def test_three_processes_with_other_hash_seeds_write_the_same_bytes(
    asked: ExportRequest, tmp_path: Path
) -> None:
    manifests = []
    for seed in ("0", "1", "4711"):
        base_path = tmp_path / f"models-{seed}"
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run(
            words(replace(asked, base_path=base_path)), env=environment, check=True, capture_output=True
        )
        manifests.append(Manifest.read(base_path / "7"))

    assert manifests[0] == manifests[1] == manifests[2]


@pytest.mark.parametrize("step", steps.export_steps(ExportRequest(name="m", source=Path(), base_path=Path())))
def test_a_kill_in_any_step_leaves_a_whole_version_or_none(asked: ExportRequest, step: str) -> None:
    moment_seconds = random.Random(step).uniform(0.0, 0.3)
    process = subprocess.Popen(words(asked), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert any(line.endswith(f"] {step}\n") for line in process.stderr)  # reads until the step begins
    try:
        process.wait(timeout=moment_seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
    process.stderr.close()

    visible = [each for each in asked.base_path.glob("*") if not each.name.startswith(".")]
    assert all(is_whole(each, Manifest.read(each)) for each in visible)
    run(asked)
    assert [each.name for each in asked.base_path.iterdir()] == ["7"]
