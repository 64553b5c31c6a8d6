"""`identify`: who vouches for a version folder, and whether it is still what was signed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from model_export.artifact import Manifest
from model_export.commands.screen import print_json
from model_export.errors import ExportError

_EXAMPLES: Final = """\
examples:
  before a version is used
    python -m model_export identify models/mnist/7 --key model.pub
  the same with the OpenSSF's own tool
    model_signing verify key models/mnist/7 --signature models/mnist/7/model.sig --public-key model.pub
"""
_NO: Final = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of `identify`."""
    parser.epilog = _EXAMPLES
    parser.add_argument("path", type=Path, metavar="PATH", help="version folder with a model.sig")
    parser.add_argument(
        "--key", type=Path, required=True, metavar="FILE", help="public keys that are trusted, in PEM"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Say who vouches for the folder; exit code 3 when nobody trusted does."""
    from trust import TrustError, read_keys, verify

    try:
        keys = read_keys(args.key.read_text(encoding="utf-8", errors="replace"))
    except TrustError as error:
        raise ExportError(f"{args.key}: {error}") from error
    manifest = Manifest.read(args.path)
    try:
        vouched = verify(args.path, keys, name=manifest.name, version=manifest.version)
    except TrustError as error:
        print(f"error: {error}", file=sys.stderr)
        return _NO
    facts = {"model": manifest.name, "version": manifest.version, "files": vouched.files, "key": vouched.key}
    if args.json:
        print_json(facts)
    else:
        print(
            f"{manifest.name} version {manifest.version}: {vouched.files} files signed by the key {vouched.key}"
        )
    return 0
