"""A disk without room: one sentence, and nothing half made. A limit on the size of files stands in for the disk's end."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.tensorflow

ROOT = Path(__file__).parents[2]


def run_with_room_for(size_bytes: int, *words: object) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, size_bytes))

    line = [sys.executable, "-B", *(str(each) for each in words)]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, preexec_fn=limit)


def visible(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


def test_training_without_room_says_so_and_leaves_no_checkpoint(tmp_path: Path) -> None:
    done = run_with_room_for(10_000, "examples/mnist/train.py", "--output-dir", tmp_path, "--steps", 10)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "error: " in done.stderr
    assert visible(tmp_path) == []


def test_an_export_without_room_says_so_and_leaves_no_version(tmp_path: Path) -> None:
    published = ROOT / "examples/mnist/published/1000"
    words = ["-m", "model_export", "export", "--source", published, "--name", "mnist", "--version", 1]
    done = run_with_room_for(10_000, *words, "--base-path", tmp_path / "mnist")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert visible(tmp_path) == []
