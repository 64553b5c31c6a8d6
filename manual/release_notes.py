"""`bin/changelog`: what a release changes for users, made of the fragments in `changelog.d/` by towncrier.

Without a version it prints what waits for the next release, and changes nothing. With one it writes that section to the top of CHANGELOG.md and
removes the fragments, both staged for a commit. The site shows what is released below what waits.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
WAITING: Final = "Unreleased"
_START: Final = "<!-- towncrier release notes start -->\n"


def main(arguments: list[str] | None = None) -> int:
    """Print, or write; return towncrier's exit code."""
    version = _parser().parse_args(arguments).version
    if version is None:
        print(waiting(), end="")
        return 0
    words = ["build", "--yes", "--version", version]
    return subprocess.run([sys.executable, "-m", "towncrier", *words], cwd=ROOT, check=False).returncode


def waiting() -> str:
    """Return what waits for the next release, as a section under the title `Unreleased`."""
    words = ["build", "--draft", "--version", WAITING]
    done = subprocess.run(
        [sys.executable, "-m", "towncrier", *words], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return done.stdout[done.stdout.index(f"## {WAITING}") :]


def to_markdown() -> str:
    """Return the page of the site: what waits, then the releases."""
    _, _, released = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").partition(_START)
    return f"# Release notes\n\nWhat users notice, newest first.\n\n{waiting().rstrip()}\n{released}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bin/changelog", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("version", nargs="?", help="release that the fragments go into, such as 0.2.0")
    return parser


if __name__ == "__main__":
    sys.exit(main())
