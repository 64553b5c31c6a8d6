"""`evaluate`: how right is this servable?"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Final

from model_export.commands.progress import working

_EXAMPLES: Final = """\
examples:
  share of held-out images whose best-scored class is their label
    python -m model_export evaluate models/mnist/1000 --data heldout.npz
  share whose label is among the five best, of a signature of that name
    python -m model_export evaluate models/pets/3 --data photos.npz --metric top_5 --signature predict_images
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of `evaluate`."""
    parser.epilog = _EXAMPLES
    parser.add_argument("version_path", type=Path, metavar="VERSION_DIR", help="version folder of a servable")
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="NPZ",
        help="arrays by input alias, and `labels`, equally long",
    )
    parser.add_argument("--signature", default="serving_default", metavar="KEY", help="signature to ask")
    parser.add_argument(
        "--metric",
        default="top_1",
        choices=("top_1", "top_5", "mean_absolute_error"),
        help="what to measure (default: top_1)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print the result as one JSON object on the last line"
    )


def run(args: argparse.Namespace) -> int:
    """Measure and print the accuracy."""
    from model_export.checking import evaluate

    with working(quiet=args.json) as (_, watcher):
        accuracy = evaluate(
            args.version_path, args.data, key=args.signature, metric=args.metric, watcher=watcher
        )
    if args.json:
        print(json.dumps(asdict(accuracy), sort_keys=True))
    else:
        print(f"{accuracy.metric} {accuracy.value:.4f} on {accuracy.examples} examples.")
    return 0
