"""The door for Keras files, `.keras` and `.h5`: read as data first, then converted where they can do no harm.

Loading a Keras file builds what its config names. So it is judged before anybody loads it, and loaded in a process of its own
without network, home directory or this process's environment. What comes out is a SavedModel, and its door takes over.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from model_export.artifact import ExportRequest
from model_export.errors import SourceError
from model_export.keras_file import inspect_keras_file
from model_export.source_files import SourceFiles, locate
from model_export.sources.loaded import LoadedModel
from model_export.sources.saved_model import opened_saved_model

TIME_LIMIT_SECONDS: Final = 1800
_PACKAGE_ROOT: Final = Path(__file__).resolve().parent.parent.parent
_PASSED_ON: Final = ("PATH", "LD_LIBRARY_PATH", "LANG", "PYTHONHASHSEED", "TF_ENABLE_ONEDNN_OPTS")


@contextmanager
def opened_keras_file(
    source: SourceFiles, request: ExportRequest, report: Callable[[str], None]
) -> Iterator[LoadedModel]:
    """Give the model of a Keras file. Raises SourceError for what would run code or cannot be loaded."""
    inspect_keras_file(source.path)
    with tempfile.TemporaryDirectory(prefix="keras-conversion-") as scratch:
        converted = Path(scratch) / "saved_model"
        _convert(source.path, converted, home=Path(scratch) / "home")
        as_saved_model = replace(locate(converted), origin=source.path)
        with opened_saved_model(as_saved_model, request, report) as loaded:
            yield loaded


def isolation() -> tuple[str, ...]:
    """Return the words that start a process without network, as far as this machine permits."""
    unshare = shutil.which("unshare")
    ways = [(unshare, "--net"), (unshare, "--map-root-user", "--net")] if unshare else []
    for way in ways:
        if subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0:
            return way
    return ()


def _convert(path: Path, converted: Path, *, home: Path) -> None:
    home.mkdir()
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment |= {
        "HOME": str(home),
        "KERAS_HOME": str(home),
        "KERAS_BACKEND": "tensorflow",
        "TMPDIR": str(home),
    }
    words = [
        *isolation(),
        sys.executable,
        "-m",
        "model_export.sources.keras_conversion",
        str(path),
        str(converted),
    ]
    try:
        done = subprocess.run(
            words,
            cwd=_PACKAGE_ROOT,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIME_LIMIT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        message = f"expected {path} to load within {TIME_LIMIT_SECONDS} s, received no end; export it from its own process"
        raise SourceError(message) from error
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        message = (
            f"expected a model of Keras' own layers in {path}, received one that cannot be converted "
            f"({last[:300]}); save it again with Keras 3.15 or newer, or give its own `model.export` folder"
        )
        raise SourceError(message)
