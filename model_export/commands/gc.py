"""`gc`: remove the versions that no label and no retention rule keeps, and what dead publishers left."""

from __future__ import annotations

import argparse
from typing import Final

from model_export.commands.screen import print_json
from model_export.repository import open_repository

_EXAMPLES: Final = """\
examples:
  keep the five highest versions and everything that has a label
    python -m model_export gc s3://models/mnist --keep 5
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of `gc`."""
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "repository", metavar="REPOSITORY", help="the model's base path: a folder, or s3://bucket/prefix"
    )
    parser.add_argument(
        "--keep",
        type=int,
        required=True,
        metavar="N",
        help="how many of the highest versions stay, at least 1",
    )
    parser.add_argument(
        "--json", action="store_true", help="print removed and remaining versions as one JSON object"
    )


def run(args: argparse.Namespace) -> int:
    """Collect, then say what went."""
    repository = open_repository(args.repository)
    removed = repository.gc(keep=args.keep)
    if args.json:
        print_json({"removed": list(removed), "versions": list(repository.versions())})
    else:
        print(
            f"removed {', '.join(map(str, removed)) or 'nothing'}; left {', '.join(map(str, repository.versions())) or 'nothing'}"
        )
    return 0
