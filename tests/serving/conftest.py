import hashlib
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

_BUILDER = Path(__file__).parent / "build_models.py"


@pytest.fixture(scope="session")
def models() -> Path:
    """A folder of model base paths, written by real TensorFlow once for each state of the builder."""
    digest = hashlib.sha256(_BUILDER.read_bytes() + version("tensorflow_cpu").encode()).hexdigest()[:16]
    cache = (
        Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tf-serving-platform" / "test-models"
    )
    target = cache / digest
    if not target.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        building = cache / f"{digest}.{os.getpid()}"
        environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
        subprocess.run([sys.executable, str(_BUILDER), str(building)], check=True, env=environment)
        try:
            building.rename(target)
        except OSError:  # another run was faster
            shutil.rmtree(building)
    return target
