"""`export`: one trained model in, one verified version folder out."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Final

from model_export.artifact import ExportRequest
from model_export.commands.naming import names
from model_export.commands.progress import working

_EXAMPLES: Final = """\
examples:
  a TensorFlow 1 checkpoint folder, its newest step as the version
    python -m model_export export --source training/mnist --outputs scores --name mnist --base-path models/mnist
  the second signature of a SavedModel, measured on held-out examples
    python -m model_export export --source saved/7 --signature predict_images --version 7 \\
        --name pets --base-path models/pets --evaluate heldout.npz
  a frozen graph whose inner tensor is the input
    python -m model_export export --source graph.pb --inputs images=decoded:0 --outputs scores=softmax \\
        --name pets --base-path models/pets
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of `export`."""
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "--source",
        type=Path,
        required=True,
        metavar="PATH",
        help="checkpoint folder or prefix, SavedModel folder, .keras or .h5 file, or frozen GraphDef (.pb)",
    )
    parser.add_argument("--name", required=True, help="model name, as clients will spell it")
    parser.add_argument(
        "--base-path",
        type=Path,
        required=True,
        metavar="DIR",
        help="the model's folder; DIR/<version> is made inside it",
    )
    parser.add_argument(
        "--outputs",
        type=names,
        default=(),
        metavar="NODE,…",
        help="output nodes: node, node:1 or alias=node; needed where the source names no signature",
    )
    parser.add_argument(
        "--inputs",
        type=names,
        default=(),
        metavar="NODE,…",
        help="input nodes, spelt alike (default: every placeholder that the outputs need)",
    )
    parser.add_argument(
        "--signature",
        default="serving_default",
        metavar="KEY",
        help="signature key to give, or to choose from the source; serving_default is always there too",
    )
    parser.add_argument(
        "--version",
        type=_version,
        metavar="N",
        help="version number (default: the checkpoint's step, else 1)",
    )
    parser.add_argument(
        "--evaluate",
        type=Path,
        metavar="NPZ",
        help="inputs by alias and `labels`: measure the accuracy and write it to the manifest",
    )
    parser.add_argument(
        "--metric",
        default="top_1",
        choices=("top_1", "top_5", "mean_absolute_error"),
        help="what to measure on the examples (default: top_1)",
    )
    parser.add_argument(
        "--example",
        type=Path,
        metavar="NPZ",
        help="one request's inputs by alias, for a model that refuses made-up ones",
    )
    parser.add_argument(
        "--builder",
        metavar="FILE.py:FUNCTION",
        help="function that builds the inference graph, for a checkpoint without .meta",
    )
    parser.add_argument(
        "--warmup-batch-sizes",
        type=_sizes,
        default=(1, 8, 32),
        metavar="N,…",
        help="batch sizes of the warm-up requests written beside the model (default: 1,8,32)",
    )
    parser.add_argument(
        "--preprocessed",
        metavar="TENSOR",
        help="mark the tensor that holds the preprocessed input, for the server's input cache",
    )
    parser.add_argument(
        "--optimize",
        action="store_true",
        help="fold constants and batch normalisation now instead of at every start of a server",
    )
    parser.add_argument(
        "--quantize",
        choices=("fp16", "int8"),
        help="store the weights smaller; refused when the answers move too far",
    )
    parser.add_argument(
        "--error-limit",
        type=float,
        metavar="SHARE",
        help="how far quantised answers may be off, of the largest (default: 0.01 for fp16, 0.1 for int8)",
    )
    parser.add_argument(
        "--tune",
        action="store_true",
        help="measure which runtime settings answer fastest here, and keep them",
    )
    parser.add_argument(
        "--frozen-graph", type=Path, metavar="PATH", help="also write the bare frozen GraphDef"
    )
    parser.add_argument(
        "--json", action="store_true", help="print the manifest as one JSON object on the last line"
    )


def run(args: argparse.Namespace) -> int:
    """Export, saying what happens line by line."""
    from model_export.exporting import export

    request = ExportRequest(
        name=args.name,
        source=args.source,
        base_path=args.base_path,
        outputs=args.outputs,
        inputs=args.inputs,
        signature=args.signature,
        version=args.version,
        evaluate=args.evaluate,
        metric=args.metric,
        example=args.example,
        builder=args.builder,
        warmup_batch_sizes=args.warmup_batch_sizes,
        optimize=args.optimize,
        quantize=args.quantize,
        error_limit=args.error_limit,
        tune=args.tune,
        preprocessed=args.preprocessed,
    )
    with working(quiet=args.json) as (report, watcher):
        artifact = export(request, report=report, watcher=watcher, frozen_graph=args.frozen_graph)
    if args.json:
        print(json.dumps({"path": str(artifact.path), **asdict(artifact.manifest)}, sort_keys=True))
    else:
        print(f"Identity {artifact.digest}, {artifact.manifest.size_bytes} bytes.")
    return 0


def _sizes(text: str) -> tuple[int, ...]:
    sizes = names(text)
    if not sizes or not all(each.isdigit() and int(each) > 0 for each in sizes):
        message = f"expected batch sizes such as 1,8,32, received {text!r}"
        raise argparse.ArgumentTypeError(message)
    return tuple(int(each) for each in sizes)


def _version(text: str) -> int:
    if not text.isdigit() or int(text) >= 2**63:
        message = f"expected a whole number from 0 to 2^63 - 1, received {text!r}"
        raise argparse.ArgumentTypeError(message)
    return int(text)
