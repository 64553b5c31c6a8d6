"""How far two versions of a model are apart, said before the newer one takes over.

The door for the Pulumi program, beside `ensure`: it never imports TensorFlow. The golden requests that travel with the stable version
are put to the candidate by `python -m model_export compare` in a process of its own; the result is kept under the digests of all that
it follows from, so that only the first preview of a pair of versions waits for it.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from model_export.artifact import ModelArtifact
from model_export.ensure import PYTHON_VARIABLE
from model_export.errors import ExportError, SourceError

GOLDEN_FILE: Final = "assets.extra/golden_requests"
"""Where an export keeps questions with the source's answers: `model_export.warmup` writes and reads it."""
_COMPARISON_SECONDS: Final = 600
_PACKAGE_ROOT: Final = Path(__file__).resolve().parent.parent
_ERROR: Final = "error: "


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A candidate's answers beside those that the stable version is known to give."""

    questions: int
    """Golden requests that were put."""
    rows: int
    """Rows of all of them."""
    distance: float
    """Sum of |candidate - stable| over sum of |stable|, of the output where that is largest: 0 for equal answers, 1 for silence."""
    output: str
    """Which output that is, `signature.alias`; empty where nothing is a number."""
    agreement: float | None
    """Share of rows whose winner is the same, 0 to 1, of the output where it is smallest; None where no output ranks classes."""
    faults: tuple[str, ...]
    """What no limit forgives: an output that is gone, has another shape, or holds no number where the stable version has one."""

    def sentence(self) -> str:
        """Say it in a line."""
        asked = f"{self.questions} golden requests ({self.rows} rows)"
        if self.faults:
            return f"{asked}: {'; '.join(self.faults)}"
        winners = "" if self.agreement is None else f"; the same winner in {self.agreement:.1%} of rows"
        where = f" of {self.output}" if self.output else ""
        return f"{asked}: answers{where} differ by {self.distance * 1_000:.3g} thousandths{winners}"

    def to_json(self) -> str:
        """Return it as one line of JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Comparison:
        """Read what `to_json` wrote. Raises ValueError, KeyError or TypeError for anything else."""
        facts: dict[str, Any] = json.loads(text)
        return cls(**{**facts, "faults": tuple(facts["faults"])})


def compared(stable: ModelArtifact, candidate: ModelArtifact, *, kept_in: Path) -> Comparison:
    """Return how far `candidate` is from `stable` on the golden requests of `stable`, from the folder `kept_in` where it is known.

    Raises ExportError with one sentence when there are no golden requests, or the candidate cannot be asked.
    """
    path = kept_in / f"{_key(stable, candidate)}.json"
    try:
        return Comparison.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        found = _ask(stable, candidate)
    kept_in.mkdir(parents=True, exist_ok=True)
    # Whole or not at all: a preview that is stopped here must not leave half a result for the next one.
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_text(found.to_json() + "\n", encoding="utf-8")
    unfinished.replace(path)
    return found


def _key(stable: ModelArtifact, candidate: ModelArtifact) -> str:
    golden = stable.manifest.files.get(GOLDEN_FILE)
    if golden is None:
        message = (
            f"expected golden requests in {stable.path / GOLDEN_FILE}, received a version without them; export it again, "
            "so that its successors have something to be compared with"
        )
        raise SourceError(message)
    return hashlib.sha256(f"{stable.digest} {golden.sha256} {candidate.digest}".encode()).hexdigest()[:32]


def _ask(stable: ModelArtifact, candidate: ModelArtifact) -> Comparison:
    interpreter = os.environ.get(PYTHON_VARIABLE) or sys.executable
    folders = [str(each.path.absolute()) for each in (stable, candidate)]
    words = [interpreter, "-m", "model_export", "compare", *folders, "--json"]
    try:
        finished = subprocess.run(
            words, capture_output=True, text=True, cwd=_PACKAGE_ROOT, timeout=_COMPARISON_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        message = f"expected `{' '.join(words)}` to compare two versions, received {error}; run it by hand to see more"
        raise ExportError(message) from error
    try:
        return Comparison.from_json(finished.stdout.splitlines()[-1])
    except (IndexError, ValueError, KeyError, TypeError) as error:
        raise ExportError(_reason(finished)) from error


def _reason(finished: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in finished.stderr.splitlines() if line.strip()]
    sentences = [line.removeprefix(_ERROR) for line in lines if line.startswith(_ERROR)]
    last = lines[-1] if lines else "nothing"
    return (
        sentences[-1]
        if sentences
        else (
            f"expected the comparison to end with a result, received exit code {finished.returncode} and {last!r}; "
            f"run `{' '.join(finished.args)}` to see more"
        )
    )
