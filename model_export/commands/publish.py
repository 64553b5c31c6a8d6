"""`publish`: one finished version into a model repository, whole or not at all."""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Final

from model_export.artifact import Manifest
from model_export.commands.screen import moving, print_json
from model_export.contract import read_contract, refuse_unsafe
from model_export.errors import VersionExistsError
from model_export.repository import ModelRepository, open_repository
from model_export.repository.archives import unpack

_EXAMPLES: Final = """\
examples:
  into a folder
    python -m model_export publish export/mnist/7 /srv/models/mnist
  into S3, and point a label at it
    python -m model_export publish export/mnist/7 s3://models/mnist --label canary
  an archive that somebody sent, in a job that may run twice
    python -m model_export publish mnist-7.tar.gz s3://models/mnist --if-missing
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of `publish`."""
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "version",
        type=Path,
        metavar="VERSION",
        help="version folder with a manifest, or a .zip, .tar or .tar.gz of one",
    )
    parser.add_argument(
        "repository", metavar="REPOSITORY", help="the model's base path: a folder, or s3://bucket/prefix"
    )
    parser.add_argument(
        "--label",
        action="append",
        default=[],
        metavar="LABEL",
        help="then point this label at it; may be repeated",
    )
    parser.add_argument(
        "--if-missing", action="store_true", help="exit with 0 when the same content is published already"
    )
    parser.add_argument(
        "--allow-op",
        action="append",
        default=[],
        metavar="OP",
        help="trust this operation that reaches outside the graph; may be repeated",
    )
    parser.add_argument(
        "--json", action="store_true", help="print the manifest and what was done as one JSON object"
    )


def run(args: argparse.Namespace) -> int:
    """Check, copy, reveal."""
    with moving("published", quiet=args.json) as progress:
        repository = open_repository(args.repository, progress=progress)
        if args.version.is_file():
            with tempfile.TemporaryDirectory() as scratch:
                manifest, is_new = _publish(unpack(args.version, Path(scratch) / "version"), repository, args)
        else:
            manifest, is_new = _publish(args.version, repository, args)
    labels = (
        repository.set_labels(dict.fromkeys(args.label, manifest.version))
        if args.label
        else repository.labels()
    )
    if args.json:
        print_json(
            {
                "address": repository.address,
                "published": is_new,
                "labels": dict(labels),
                "manifest": asdict(manifest),
            }
        )
    else:
        done = "published" if is_new else "already published, with the same content:"
        print(f"{done} {manifest.name} version {manifest.version} in {repository.address}")
    return 0


def _publish(
    version_path: Path, repository: ModelRepository, args: argparse.Namespace
) -> tuple[Manifest, bool]:
    refuse_unsafe(read_contract(version_path), allowed_ops=args.allow_op)
    try:
        return repository.publish(version_path), True
    except VersionExistsError as error:
        if args.if_missing and error.same_content:
            return Manifest.read(version_path), False
        raise
