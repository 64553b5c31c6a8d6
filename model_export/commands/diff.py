"""`diff`: what changes for clients when one servable takes the place of another."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from model_export.commands.screen import print_json
from model_export.contract import Contract, Level, diff, read_contract
from model_export.errors import ContractError

_EXAMPLES: Final = """\
examples:
  two versions on disk
    python -m model_export diff models/mnist/7 models/mnist/8
  what is deployed, against what is about to be
    pulumi stack output models --json | jq -r .mnist.contract > deployed.json
    python -m model_export diff deployed.json models/mnist/8
exit code 3 when a change would break clients, unless --allow-breaking
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of `diff`."""
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "old", type=Path, metavar="OLD", help="version folder, or file with a contract in JSON"
    )
    parser.add_argument(
        "new", type=Path, metavar="NEW", help="version folder, or file with a contract in JSON"
    )
    parser.add_argument("--allow-breaking", action="store_true", help="exit with 0 whatever changed")
    parser.add_argument("--json", action="store_true", help="print level and changes as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print every change, the worst first."""
    difference = diff(_contract(args.old), _contract(args.new))
    if args.json:
        changes = [
            {"field": each.field, "level": str(each.level), "sentence": each.sentence}
            for each in difference.changes
        ]
        print_json({"level": str(difference.level), "changes": changes})
    else:
        print("\n".join(difference.sentences()))
    return 3 if difference.level is Level.BREAKING and not args.allow_breaking else 0


def _contract(path: Path) -> Contract:
    if path.is_dir():
        return read_contract(path)
    try:
        return Contract.from_json(path.read_text(encoding="utf-8"), where=str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ContractError(
            f"{path}: expected a version folder or a contract in JSON, received {error}; correct the path"
        ) from error
