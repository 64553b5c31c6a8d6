"""`bin/docs`: build the documentation site, offline and strictly: a link that leads nowhere, or any other warning, ends it."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from manual.commands import ROOT
from manual.tree import grow


def main(arguments: list[str] | None = None) -> int:
    """Build the site and say where it is; return Sphinx's exit code."""
    options = _parser().parse_args(arguments)
    source = options.output.with_name(f"{options.output.name}-pages")
    print("==> Collect and generate the pages", file=sys.stderr, flush=True)
    grow(source)
    print("==> Build the site", file=sys.stderr, flush=True)
    words = [
        "--fail-on-warning",
        "--keep-going",
        "--quiet",
        "--builder=html",
        f"--conf-dir={Path(__file__).parent}",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *words, str(source), str(options.output)], check=False
    )
    if done.returncode == 0:
        print(f"{options.output / 'index.html'}")
    return done.returncode


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bin/docs", description=__doc__)
    parser.add_argument(
        "--output", type=Path, default=ROOT / "build/site", help="folder for the site (default: build/site)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
