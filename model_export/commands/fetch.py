"""`fetch`: one version out of a model repository, every digest checked, going on where an earlier fetch stopped."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Final

from model_export.artifact import Manifest
from model_export.commands.screen import moving, print_json
from model_export.errors import DigestMismatchError
from model_export.repository import open_repository

_EXAMPLES: Final = """\
examples:
  what the label points at, as a pod does at its start
    python -m model_export fetch s3://models/mnist stable /models/mnist
  one version
    python -m model_export fetch /srv/models/mnist 7 .
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of `fetch`."""
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "repository", metavar="REPOSITORY", help="the model's base path: a folder, or s3://bucket/prefix"
    )
    parser.add_argument("reference", metavar="VERSION", help="version number, label, or latest")
    parser.add_argument(
        "destination", type=Path, metavar="DIR", help="DIR/<version> appears when every file has arrived"
    )
    parser.add_argument(
        "--identity",
        metavar="DIGEST",
        help="fail unless this is the identity of the version's manifest: whoever asks has seen it before",
    )
    parser.add_argument(
        "--json", action="store_true", help="print the path and the manifest as one JSON object"
    )


def run(args: argparse.Namespace) -> int:
    """Bring it."""
    with moving("fetched", quiet=args.json) as progress:
        path = open_repository(args.repository, progress=progress).fetch(args.reference, args.destination)
    _require_identity(path, args.identity)
    if args.json:
        print_json({"path": str(path), "manifest": asdict(Manifest.read(path))})
    else:
        print(f"fetched version {path.name} to {path}")
    return 0


def _require_identity(path: Path, expected: str | None) -> None:
    received = Manifest.read(path).identity
    if expected and received != expected:
        raise DigestMismatchError(
            f"{path}: expected the identity {expected}, received {received}; another model was published under this number: publish the "
            "one that was meant as a new version"
        )
