"""The pre-deploy step: return the exported model, exporting it first only where it does not stand yet.

The door for the Pulumi program. It never imports TensorFlow: what stands is judged by digests, and an export runs as
`python -m model_export export` in a process of its own, whose progress lines are passed on.
"""

from __future__ import annotations

import os
import queue
import re
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from model_export.artifact import ExportRequest, ModelArtifact
from model_export.errors import ExportError
from model_export.source_files import locate
from model_export.standing import standing_artifact

PYTHON_VARIABLE: Final = "TF_SERVING_PLATFORM_EXPORT_PYTHON"
"""Names the interpreter that has TensorFlow, where it is not the one that runs the Pulumi program."""
_STEP: Final = re.compile(r"\[\d+/\d+\] ")
"""How a line begins that says which step of the export is under way, of how many."""
_ERROR: Final = "error: "
_KEPT_COMPLAINTS: Final = 1_000
_PACKAGE_ROOT: Final = Path(__file__).resolve().parent.parent
_Said = tuple[IO[str], str | None]
"""A stream and a line of it; None when it ended."""


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
    try:
        process = subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd=_PACKAGE_ROOT,
        )
    except OSError as error:
        message = f"expected a Python interpreter with TensorFlow at {words[0]}, received {error}; set {PYTHON_VARIABLE}"
        raise ExportError(message) from error
    with process:
        complaints = _pass_on(process, report)
    if process.returncode != 0:
        raise ExportError(_reason(process.returncode, complaints))


def _pass_on(process: subprocess.Popen[str], report: Callable[[str], None]) -> Sequence[str]:
    """Report results and steps as they come, and return the last lines of what else was said on standard error."""
    said: queue.SimpleQueue[_Said] = queue.SimpleQueue()
    for stream in (process.stdout, process.stderr):
        threading.Thread(target=_listen, args=(stream, said), daemon=True).start()
    complaints: deque[str] = deque(maxlen=_KEPT_COMPLAINTS)
    ended = 0
    try:
        while ended < 2:  # both streams
            stream, line = said.get()
            if line is None:
                ended += 1
            elif stream is process.stdout or _STEP.match(line):
                report(line)
            else:
                complaints.append(line)
    except BaseException:  # also Ctrl-C: an export must not go on without its reader
        process.terminate()
        raise
    return complaints


def _listen(stream: IO[str], said: queue.SimpleQueue[_Said]) -> None:
    # Two pipes, one reader each: whoever read one to its end first would let the other fill up and the export stand still.
    with suppress(ValueError):  # closed meanwhile: nobody reads any more
        for line in stream:
            said.put((stream, line.rstrip("\n")))
    said.put((stream, None))


def _reason(code: int, complaints: Sequence[str]) -> str:
    lines = [line for line in complaints if line.strip()]
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
