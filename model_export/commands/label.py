"""`label`: point names such as stable and canary at versions, all in one step."""

from __future__ import annotations

import argparse
from typing import Final

from model_export.commands.screen import print_json
from model_export.repository import open_repository

_EXAMPLES: Final = """\
examples:
  promote: both move in one step
    python -m model_export label s3://models/mnist stable=8 canary=9
  remove a label
    python -m model_export label s3://models/mnist canary=
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of `label`."""
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "repository", metavar="REPOSITORY", help="the model's base path: a folder, or s3://bucket/prefix"
    )
    parser.add_argument(
        "changes",
        nargs="+",
        type=_change,
        metavar="LABEL=VERSION",
        help="a published version, or nothing to remove it",
    )
    parser.add_argument("--json", action="store_true", help="print all labels as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Move the labels, then show all of them."""
    labels = open_repository(args.repository).set_labels(dict(args.changes))
    if args.json:
        print_json({"labels": dict(labels)})
    else:
        print("\n".join(f"{label} -> {version}" for label, version in sorted(labels.items())) or "no labels")
    return 0


def _change(text: str) -> tuple[str, int | None]:
    label, equals, version = text.partition("=")
    if not equals or not (version == "" or (version.isascii() and version.isdecimal())):
        raise argparse.ArgumentTypeError(f"expected label=version, such as stable=7, received {text!r}")
    return label, int(version) if version else None
