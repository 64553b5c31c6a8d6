"""`inspect`: what a servable or a Keras file is, read in milliseconds and without TensorFlow."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from model_export.artifact import MANIFEST_NAME, Manifest, Signature
from model_export.commands.screen import print_facts, print_json, print_table, size_words
from model_export.contract import Contract, Servable, read_servable
from model_export.contract.difference import shape_words
from model_export.keras_file import KerasFileReport, inspect_keras_file

_EXAMPLES: Final = """\
examples:
  a version folder
    python -m model_export inspect models/mnist/7
  a Keras file, before anybody loads it
    python -m model_export inspect classifier.keras
  the digest alone
    python -m model_export inspect models/mnist/7 --json | jq -r .contract.digest
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of `inspect`."""
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "path",
        type=Path,
        metavar="PATH",
        help="version folder with a saved_model.pb, or a .keras or .h5 file",
    )
    parser.add_argument("--json", action="store_true", help="print everything as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Show what is at the path."""
    if args.path.is_file():
        _show_keras_file(inspect_keras_file(args.path), args)
        return 0
    servable = read_servable(args.path)
    manifest = Manifest.read(args.path) if (args.path / MANIFEST_NAME).exists() else None
    if args.json:
        print_json(_facts(servable, manifest))
        return 0
    _show_contract(servable.contract, args.path)
    for signature in servable.contract.signatures:
        _show_signature(signature, servable)
    _show_functions(servable)
    _show_ops(servable.contract)
    if manifest is not None:
        _show_manifest(manifest)
    return 0


def _facts(servable: Servable, manifest: Manifest | None) -> dict[str, Any]:
    return {
        "contract": asdict(servable.contract),
        "tensors": {
            f"{signature}/{alias}": list(names) for (signature, alias), names in servable.tensors.items()
        },
        "functions": [asdict(each) for each in servable.functions],
        "manifest": None if manifest is None else asdict(manifest),
    }


def _show_contract(contract: Contract, path: Path) -> None:
    print_facts(
        f"Servable {path}",
        [
            ("tags", ", ".join(contract.tags) or "none"),
            ("written by", f"TensorFlow {contract.writer_version or 'of unknown version'}"),
            ("nodes", f"{contract.node_count:,}"),
            ("constants", size_words(contract.constant_bytes)),
            ("variables", size_words(contract.variable_bytes)),
            ("assets", ", ".join(contract.assets) or "none"),
            ("custom operations", ", ".join(contract.custom_ops) or "none"),
            ("file operations", ", ".join(contract.file_ops) or "none"),
            ("Python operations", ", ".join(contract.python_ops) or "none"),
            ("host operations", ", ".join(contract.host_ops) or "none"),
            ("digest", contract.digest),
        ],
    )


def _show_signature(signature: Signature, servable: Servable) -> None:
    rows = [
        (
            side,
            spec.name,
            spec.dtype,
            shape_words(spec.shape) + ("" if spec.default is None else ", has a default"),
            ", ".join(servable.tensors[signature.name, f"{side}s/{spec.name}"]),
        )
        for side, specs in (("input", signature.inputs), ("output", signature.outputs))
        for spec in specs
    ]
    print_table(
        f"Signature {signature.name} ({signature.method or 'no method'})",
        ("side", "name", "dtype", "shape", "tensor"),
        rows,
    )


def _show_functions(servable: Servable) -> None:
    if servable.functions:
        rows = [
            (
                each.name,
                "; ".join(f"{spec.name}: {spec.dtype} {shape_words(spec.shape)}" for spec in each.inputs)
                or "nothing",
            )
            for each in servable.functions
        ]
        print_table("Functions of the loaded object", ("name", "called with"), rows)


def _show_ops(contract: Contract) -> None:
    rows = [
        (op, f"{count:,}") for op, count in sorted(contract.ops.items(), key=lambda each: (-each[1], each[0]))
    ]
    print_table("Operations", ("operation", "nodes"), rows)


def _show_manifest(manifest: Manifest) -> None:
    accuracy = manifest.accuracy
    print_facts(
        "Manifest",
        [
            ("model", manifest.name),
            ("version", str(manifest.version)),
            ("identity", manifest.identity),
            ("source", f"{manifest.source.kind} {manifest.source.name}, {manifest.source.digest}"),
            (
                "accuracy",
                "not measured"
                if accuracy is None
                else f"{accuracy.value:.4f} {accuracy.metric} on {accuracy.examples}",
            ),
            *((f"extra {step}", str(facts)) for step, facts in sorted(manifest.extra.items())),
        ],
    )
    rows = [(path, size_words(each.size_bytes), each.sha256) for path, each in sorted(manifest.files.items())]
    print_table("Files", ("path", "size", "SHA-256"), rows)


def _show_keras_file(report: KerasFileReport, args: argparse.Namespace) -> None:
    if args.json:
        print_json({"keras": asdict(report)})
        return
    print_facts(
        f"Keras file {args.path}",
        [
            ("format", f".{report.format}, Keras {report.keras_version}"),
            ("model", report.model_class),
            ("weights", size_words(report.weight_bytes)),
            ("assets", ", ".join(report.assets) or "none"),
            ("foreign training", ", ".join(report.foreign_training) or "none"),
            ("runs code", "no: every class and function is Keras' own"),
        ],
    )
    print_table("Layers", ("name", "class"), [(each.name, each.class_name) for each in report.layers])
