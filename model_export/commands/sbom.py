"""`sbom`: what a servable, or the image around it, is made of, as an SPDX document."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from pathlib import Path
from typing import Final

from model_export.errors import ExportError
from model_export.materials import Locked, document, read_lock
from model_export.repository.content import checked_version

_EXAMPLES: Final = """\
examples:
  the model alone
    python -m model_export sbom models/mnist/7 > mnist.spdx.json
  its image, with every package that the runtime's lock installs
    python -m model_export sbom models/mnist/7 --lock requirements/runtime.txt \\
        --image registry.example.com/team/models/mnist@sha256:... > image.spdx.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of `sbom`."""
    parser.epilog = _EXAMPLES
    parser.add_argument("path", type=Path, metavar="PATH", help="version folder with a manifest.json")
    parser.add_argument(
        "--lock",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="lock that is installed beside it; may be repeated",
    )
    parser.add_argument("--image", default="", metavar="REFERENCE", help="image that holds it, by digest")


def run(args: argparse.Namespace) -> int:
    """Print the document."""
    packages: list[Locked] = [locked for lock in args.lock for locked in read_lock(lock)]
    manifest = checked_version(args.path).manifest
    sha1 = {path: _sha1(args.path / path) for path in manifest.files}
    facts = document(
        manifest, sha1=sha1, packages=packages, image=args.image, created_seconds=_created_seconds()
    )
    print(json.dumps(facts, indent=2, sort_keys=True))
    return 0


def _sha1(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()


def _created_seconds() -> int:
    """The convention of reproducible-builds.org; without it the document is as old as time itself, and always the same."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "0")
    if not text.isascii() or not text.isdecimal():
        raise ExportError(
            f"SOURCE_DATE_EPOCH must be seconds since 1970, got {text!r}; set it, or leave it out"
        )
    return int(text)
