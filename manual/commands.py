"""A page for each command, from its own help: what it prints is what the page says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from model_export.commands import VERBS

ROOT: Final = Path(__file__).parents[1]
_WIDTH: Final = "110"
_WITH_HELP: Final = ("bench", "changelog", "cluster", "down", "rollback", "setup", "status", "up")
"""Scripts that parse flags of their own; the others take none, or hand them on."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command and what it says of itself."""

    words: str
    """As a user types it."""
    job: str
    """One sentence."""
    help: str
    """What `--help` prints; empty where it has none."""

    @property
    def page(self) -> str:
        """Name of its page."""
        return self.words.replace("bin/", "").replace("python -m ", "").replace(" ", "-").replace("_", "-")

    def to_markdown(self) -> str:
        """Return the page."""
        text = f"# `{self.words}`\n\n{self.job}\n"
        return text + (f"\n```text\n{self.help.rstrip()}\n```\n" if self.help else "")


def all_commands() -> Iterator[Command]:
    """Yield every script of `bin/`, every verb of the exporter, and the server."""
    for script in sorted((ROOT / "bin").iterdir()):
        job = script.read_text(encoding="utf-8").splitlines()[1].removeprefix("# ")
        has_help = script.name in _WITH_HELP
        yield Command(words=f"bin/{script.name}", job=job, help=_help([str(script)]) if has_help else "")
    for verb, summary in VERBS.items():
        words = ["-m", "model_export", verb]
        yield Command(
            words=f"python {' '.join(words)}",
            job=f"{summary.capitalize()}.",
            help=_help([sys.executable, *words]),
        )
    yield Command(
        words="python -m serving",
        job="The API layer: answers TensorFlow Serving's requests.",
        help=_help([sys.executable, "-m", "serving"]),
    )


def _help(words: list[str]) -> str:
    environment = os.environ | {"COLUMNS": _WIDTH, "NO_COLOR": "1"}
    done = subprocess.run(
        [*words, "--help"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.replace(str(Path.home()), "~")
