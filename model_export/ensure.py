"""The pre-deploy step: return the exported model, exporting it first only where it does not stand yet.

The door for the Pulumi program. It never imports TensorFlow: what stands is judged by digests, and an export runs as
`python -m model_export export` in a process of its own, whose progress lines are passed on.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final

from model_export.artifact import ExportRequest, ModelArtifact
from model_export.errors import ExportError
from model_export.source_files import locate
from model_export.standing import standing_artifact

PYTHON_VARIABLE: Final = "TF_SERVING_PLATFORM_EXPORT_PYTHON"
"""Names the interpreter that has TensorFlow, where it is not the one that runs the Pulumi program."""
_ERROR: Final = "error: "
_PACKAGE_ROOT: Final = Path(__file__).resolve().parent.parent


def ensure(request: ExportRequest, *, report: Callable[[str], None] = print) -> ModelArtifact:
    """Return the servable of `request`; at once when it stands already, from a subprocess that exports it otherwise.

    Raises ExportError with one sentence when source, request or export fail; no part of a version is visible then.
    """
    source = locate(request.source)
    standing = standing_artifact(source, request)
    if standing is not None:
        return standing
    _export(request, report)
    exported = standing_artifact(source, request)
    if exported is None:
        message = (
            f"expected the export of {request.source} to stand in {request.base_path}, received a source that changed "
            "meanwhile; wait for the training to end and try again"
        )
        raise ExportError(message)
    return exported


def command_line(request: ExportRequest) -> list[str]:
    """Return the words that export `request`, to run them by hand."""
    sizes = ",".join(str(each) for each in request.warmup_batch_sizes)
    flags = {
        "--name": request.name,
        "--source": request.source.absolute(),
        "--base-path": request.base_path.absolute(),
        "--signature": request.signature,
        "--outputs": ",".join(request.outputs),
        "--inputs": ",".join(request.inputs),
        "--version": request.version,
        "--evaluate": request.evaluate and request.evaluate.absolute(),
        "--metric": request.metric,
        "--example": request.example and request.example.absolute(),
        "--builder": request.builder and _absolute_builder(request.builder),
        "--warmup-batch-sizes": sizes,
        "--quantize": request.quantize,
        "--error-limit": request.error_limit,
        "--preprocessed": request.preprocessed,
    }
    words = [os.environ.get(PYTHON_VARIABLE) or sys.executable, "-m", "model_export", "export"]
    for flag, value in flags.items():
        words += [flag, str(value)] if value not in {None, ""} else []
    return words + ["--optimize"] * request.optimize + ["--tune"] * request.tune


def _absolute_builder(builder: str) -> str:
    path, _, function = builder.rpartition(":")
    return f"{Path(path).absolute()}:{function}"


def _export(request: ExportRequest, report: Callable[[str], None]) -> None:
    words = command_line(request)
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
        try:
            process = subprocess.Popen(
                words,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
                errors="replace",
                cwd=_PACKAGE_ROOT,
            )
        except OSError as error:
            message = f"expected a Python interpreter with TensorFlow at {words[0]}, received {error}; set {PYTHON_VARIABLE}"
            raise ExportError(message) from error
        with process:
            _pass_on(process, report)
        if process.returncode != 0:
            raise ExportError(_reason(process.returncode, complaints))


def _pass_on(process: subprocess.Popen[str], report: Callable[[str], None]) -> None:
    try:
        for line in process.stdout or ():
            report(line.rstrip("\n"))
    except BaseException:  # also Ctrl-C: an export must not go on without its reader
        process.terminate()
        raise


def _reason(code: int, complaints: IO[str]) -> str:
    complaints.seek(0)
    lines = [line.rstrip("\n") for line in complaints if line.strip()]
    sentences = [line.removeprefix(_ERROR) for line in lines if line.startswith(_ERROR)]
    if sentences:
        return sentences[-1]
    if code < 0:
        return (
            f"expected the export to end by itself, received signal {-code} (9 is often a machine out of memory); "
            "give it more memory, or export on another machine"
        )
    last = lines[-1] if lines else "nothing"
    return f"expected the export to end with a reason, received exit code {code} and {last!r}; run it by hand to see more"
