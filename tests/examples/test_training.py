"""The training examples, as a user runs them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow

ROOT = Path(__file__).parents[2]


def run(script: str, *words: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, str(ROOT / "examples" / script), *(str(each) for each in words)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def visible(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir() if not each.name.startswith("."))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mnist") / "training"
    done = run("mnist/train.py", "--output-dir", folder)
    assert done.returncode == 0, done.stderr
    assert "Done training!" in done.stdout
    return folder


def test_training_leaves_a_checkpoint_the_held_out_images_and_its_figures(trained: Path) -> None:
    parts = ["model.ckpt-1000.data-00000-of-00001", "model.ckpt-1000.index", "model.ckpt-1000.meta"]
    assert visible(trained) == ["checkpoint", "heldout.npz", *parts, "training.json"]
    assert str(trained) not in (trained / "checkpoint").read_text()


def test_the_softmax_regression_learns_as_well_as_the_tutorials(trained: Path) -> None:
    facts = json.loads((trained / "training.json").read_text())

    assert facts["training_accuracy"] >= 0.94
    assert facts["test_accuracy"] >= 0.90
    assert (facts["training_examples"], facts["test_examples"], facts["steps"]) == (4000, 1000, 1000)


def test_the_held_out_images_are_real_ones_and_need_no_pickle(trained: Path) -> None:
    with np.load(trained / "heldout.npz", allow_pickle=False) as heldout:
        images, labels = heldout["images"], heldout["labels"]

    assert (images.dtype, images.shape) == (np.float32, (1000, 784))
    assert (labels.dtype, labels.shape) == (np.int64, (1000,))
    assert (images.min(), images.max(), set(labels)) == (0.0, 1.0, set(range(10)))


def test_the_same_arguments_give_the_same_weights(trained: Path, tmp_path: Path) -> None:
    done = run("mnist/train.py", "--output-dir", tmp_path)

    assert done.returncode == 0, done.stderr
    assert {name: (tmp_path / name).read_bytes() for name in visible(tmp_path)} == {
        name: (trained / name).read_bytes() for name in visible(trained)
    }


def test_a_killed_training_leaves_nothing_visible_and_the_next_removes_the_rest(tmp_path: Path) -> None:
    script = [
        sys.executable,
        "-u",
        str(ROOT / "examples/mnist/train.py"),
        "--output-dir",
        str(tmp_path),
        "--steps",
        "100000",
    ]
    process = subprocess.Popen(script, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert next(line for line in process.stdout if "step" in line)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert visible(tmp_path) == []
    assert len(list(tmp_path.iterdir())) == 1

    assert run("mnist/train.py", "--output-dir", tmp_path, "--steps", 1).returncode == 0

    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []
    assert "checkpoint" in visible(tmp_path)


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("--output-dir", "/dev/null/training"), 1, "error: "),
        (("--output-dir", "x", "--steps", "0"), 2, "--steps must be at least 1, got 0"),
        ((), 2, "--output-dir"),
    ],
    ids=["a folder that cannot be", "no step", "no folder"],
)
def test_a_mistake_is_one_sentence(words: tuple[str, ...], code: int, reason: str) -> None:
    done = run("mnist/train.py", *words)

    assert done.returncode == code
    assert reason in done.stderr.splitlines()[-1]


def test_the_convolutional_network_is_above_96_percent_and_travels_through_the_keras_door(
    tmp_path: Path,
) -> None:
    done = run("mnist/train_cnn.py", "--output-dir", tmp_path / "cnn")
    assert done.returncode == 0, done.stderr
    words = [
        "--name",
        "mnist",
        "--base-path",
        tmp_path / "models",
        "--evaluate",
        tmp_path / "cnn" / "heldout.npz",
    ]
    line = [
        sys.executable,
        "-m",
        "model_export",
        "export",
        "--json",
        "--source",
        tmp_path / "cnn" / "mnist.keras",
        *words,
    ]

    exported = subprocess.run(
        [str(each) for each in line], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert exported.returncode == 0, exported.stderr
    manifest = json.loads(exported.stdout.splitlines()[-1])
    assert manifest["accuracy"]["value"] > 0.96
    assert manifest["accuracy"]["examples"] == 1000
    assert [each["name"] for each in manifest["signatures"][0]["inputs"]] == ["images"]
    assert [each["name"] for each in manifest["signatures"][0]["outputs"]] == ["scores"]


def test_the_command_of_a_training_run_leaves_a_version_where_it_is_published_from(tmp_path: Path) -> None:
    given = {
        "HOME": str(tmp_path),
        "EXPORT_DIR": str(tmp_path / "export"),
        "MODEL_NAME": "digits",
        "MODEL_VERSION": "7",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    command = [str(ROOT / "examples/training/train"), "--steps", "100"]
    done = subprocess.run(command, env=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    manifest = json.loads((tmp_path / "export/digits/7/manifest.json").read_text())
    assert (manifest["name"], manifest["version"]) == ("digits", 7)
    assert manifest["accuracy"]["examples"] == 1000
