"""Running the project's own commands as a user would type them.

Everything a command prints goes to standard error as it comes, so that standard output carries only the result of `bin/up`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from launch.steps import StepError

ROOT: Final = Path(__file__).parents[1]


def run(words: Sequence[str | Path], *, otherwise: str, env: Mapping[str, str] | None = None) -> None:
    """Run a command with its output shown. Raises StepError with `otherwise` when it fails."""
    finished = subprocess.run(
        [str(word) for word in words], cwd=ROOT, env=env, stdout=sys.stderr, check=False
    )
    if finished.returncode != 0:
        message = f"`{words_of(words)}` ended with {finished.returncode}; {otherwise}"
        raise StepError(message)


def read(words: Sequence[str | Path], *, otherwise: str, env: Mapping[str, str] | None = None) -> str:
    """Return what a command prints; its errors are shown. Raises StepError with `otherwise` when it fails."""
    finished = subprocess.run(
        [str(word) for word in words], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=False
    )
    if finished.returncode != 0:
        message = f"`{words_of(words)}` ended with {finished.returncode}; {otherwise}"
        raise StepError(message)
    return finished.stdout


def follow(words: Sequence[str | Path], *, otherwise: str, env: Mapping[str, str] | None = None) -> str:
    """Show what a command prints line by line, and return its last line, which is for programs and not shown.

    Raises StepError with `otherwise` when it fails.
    """
    last = ""
    with subprocess.Popen(
        [str(word) for word in words], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout or ():
            print(last, end="", file=sys.stderr, flush=True)
            last = line
    if process.returncode != 0:
        print(last, end="", file=sys.stderr, flush=True)
        message = f"`{words_of(words)}` ended with {process.returncode}; {otherwise}"
        raise StepError(message)
    return last


def words_of(words: Sequence[str | Path]) -> str:
    """Return the command as a user would type it, from the project's root."""
    return " ".join(str(word).removeprefix(f"{ROOT}/") for word in words)
