"""`list`: the versions and labels of one model in a repository."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Final

from model_export.artifact import Manifest
from model_export.commands.screen import print_json, print_table, size_words
from model_export.repository import open_repository

_EXAMPLES: Final = """\
examples:
  a folder
    python -m model_export list /srv/models/mnist
  the highest version in S3
    python -m model_export list s3://models/mnist --json | jq '.versions[-1].version'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of `list`."""
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "repository", metavar="REPOSITORY", help="the model's base path: a folder, or s3://bucket/prefix"
    )
    parser.add_argument("--json", action="store_true", help="print labels and manifests as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Show every visible version, rising."""
    repository = open_repository(args.repository)
    labels = repository.labels()
    manifests = [repository.manifest(version) for version in repository.versions()]
    if args.json:
        print_json(
            {
                "address": repository.address,
                "labels": dict(labels),
                "versions": [asdict(each) for each in manifests],
            }
        )
    elif manifests:
        rows = [
            _row(each, [label for label, version in sorted(labels.items()) if version == each.version])
            for each in manifests
        ]
        print_table(
            f"{manifests[-1].name} in {repository.address}",
            ("version", "labels", "size", "accuracy", "identity"),
            rows,
        )
    else:
        print(f"no versions in {repository.address}")
    return 0


def _row(manifest: Manifest, labels: list[str]) -> tuple[str, ...]:
    accuracy = manifest.accuracy
    measured = "-" if accuracy is None else f"{accuracy.value:.4f} {accuracy.metric}"
    return (
        str(manifest.version),
        ", ".join(labels) or "-",
        size_words(manifest.size_bytes),
        measured,
        manifest.identity[:19],
    )
