"""`scan`: what is known against the packages of a bill of materials, by a database on this disk."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Final

from model_export.commands.screen import print_json

_EXAMPLES: Final = """\
examples:
  the image of a model, against OSV's export of PyPI, fetched by somebody who may
    python -m model_export scan image.spdx.json --database PyPI-all.zip
"""
_FOUND: Final = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of `scan`."""
    parser.epilog = _EXAMPLES
    parser.add_argument("path", type=Path, metavar="DOCUMENT", help="SPDX document that `sbom` wrote")
    parser.add_argument(
        "--database",
        type=Path,
        required=True,
        metavar="PATH",
        help="OSV's entries of PyPI: a zip archive or a folder of JSON files",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print what is known; exit code 3 where anything is."""
    from model_export.weaknesses import find, listed_packages

    packages = listed_packages(args.path)
    found = find(packages, args.database)
    if args.json:
        print_json({"packages": len(packages), "weaknesses": [dataclasses.asdict(each) for each in found]})
        return _FOUND if found else 0
    for each in found:
        remedy = f"fixed in {', '.join(each.fixed)}" if each.fixed else "no version has it fixed"
        print(f"{each.id}: {each.package} {each.version}: {each.summary} ({remedy})")
    print(f"{len(packages)} packages, {len(found)} known weaknesses")
    return _FOUND if found else 0
