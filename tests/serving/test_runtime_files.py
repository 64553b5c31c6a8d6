"""The files for an image are enough: a server runs from them without the TensorFlow package."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from serving.runtime_files import copy_runtime, proto_files

pytestmark = pytest.mark.tensorflow


def site_packages() -> Path:
    spec = importlib.util.find_spec("tensorflow")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parents[1]


def test_only_protobuf_classes_are_listed() -> None:
    names = [str(path) for path in proto_files(site_packages())]
    assert "tensorflow_serving/apis/predict_pb2.py" in names
    assert "tensorflow/core/framework/tensor_pb2.py" in names
    assert [name for name in names if not name.endswith("_pb2.py") or name.startswith("google/")] == []


def test_a_model_runs_from_the_copied_files_alone(models: Path, tmp_path: Path) -> None:
    size = copy_runtime(site_packages(), tmp_path, strip=False)
    assert size > 100 << 20
    program = (
        "import sys, pathlib; from serving.backend import load_session; from serving.settings import ServingSettings\n"
        f"session = load_session(pathlib.Path({str(models / 'dense' / '1')!r}), ServingSettings(backend='c_api'))\n"
        "print(sorted(session.signatures), [m for m in sys.modules if m.startswith('tensorflow.python')])\n"
        "import tensorflow; print(tensorflow.__file__)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path.cwd())])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.splitlines() == ["['serving_default'] []", str(tmp_path / "tensorflow" / "__init__.py")]
