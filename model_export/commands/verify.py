"""`verify`: is this servable what its source was?"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Final

from model_export.artifact import ExportRequest, Manifest
from model_export.commands.naming import names
from model_export.commands.progress import working

_EXAMPLES: Final = """\
examples:
  against the golden requests that travel with it: the source need not be here
    python -m model_export verify models/mnist/1000
  against the source itself, at several batch sizes
    python -m model_export verify models/mnist/1000 --source training/mnist --outputs scores
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of `verify`."""
    parser.epilog = _EXAMPLES
    parser.add_argument("version_path", type=Path, metavar="VERSION_DIR", help="version folder of a servable")
    parser.add_argument(
        "--source", type=Path, metavar="PATH", help="the trained model (default: the golden requests)"
    )
    parser.add_argument("--outputs", type=names, default=(), metavar="NODE,…", help="as in `export`")
    parser.add_argument("--inputs", type=names, default=(), metavar="NODE,…", help="as in `export`")
    parser.add_argument("--signature", default="serving_default", metavar="KEY", help="as in `export`")
    parser.add_argument("--builder", metavar="FILE.py:FUNCTION", help="as in `export`")
    parser.add_argument(
        "--json", action="store_true", help="print the result as one JSON object on the last line"
    )


def run(args: argparse.Namespace) -> int:
    """Compare and say how far the answers are apart. Raises VerificationError, which exits with 3, on a difference."""
    from model_export.checking import check_against_golden, check_against_source

    manifest = Manifest.read(args.version_path)
    with working(quiet=args.json) as (report, watcher):
        if args.source is None:
            found = check_against_golden(args.version_path, watcher=watcher)
        else:
            request = _request(args, manifest)
            found = check_against_source(args.version_path, request, report=report, watcher=watcher)
    if args.json:
        print(json.dumps({"identity": manifest.identity, **asdict(found)}, sort_keys=True))
    else:
        print(f"Equal: {found.exchanges} batches, within {found.largest_difference:.0e} as served.")
    return 0


def _request(args: argparse.Namespace, manifest: Manifest) -> ExportRequest:
    return ExportRequest(
        name=manifest.name,
        source=args.source,
        base_path=args.version_path.parent,
        outputs=args.outputs,
        inputs=args.inputs,
        signature=args.signature,
        builder=args.builder,
    )
