"""`compare`: how far are a newer version's answers from those of the one that serves?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

_EXAMPLES: Final = """\
examples:
  python -m model_export compare models/mnist/1000 models/mnist/2000
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of `compare`."""
    parser.epilog = _EXAMPLES
    parser.add_argument("stable", type=Path, metavar="STABLE_DIR", help="version folder with golden requests")
    parser.add_argument("candidate", type=Path, metavar="CANDIDATE_DIR", help="version folder to ask them")
    parser.add_argument(
        "--json", action="store_true", help="print the result as one JSON object on the last line"
    )


def run(args: argparse.Namespace) -> int:
    """Compare and say how far the answers are apart; whether that is too far is for the reader to say, so it exits with 0."""
    from model_export.comparing import compare

    found = compare(args.stable, args.candidate)
    print(found.to_json() if args.json else found.sentence())
    return 0
