"""`python -m notary`: sign an image, ask who signed it, and print where it came from."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Final

from notary.office import Office
from trust.errors import TrustError, UnreadableKey

_NO: Final = 3
_EXAMPLES: Final = """\
examples, each with an image by digest such as registry.example.com/team/models/mnist@sha256:...
  python -m notary sign IMAGE --key images.key
  python -m notary verify IMAGE --key images.pub
  python -m notary provenance IMAGE --key images.pub
the same with cosign
  cosign verify --insecure-ignore-tlog --key images.pub IMAGE
  cosign verify-attestation --insecure-ignore-tlog --type slsaprovenance1 --key images.pub IMAGE
"""


def parser() -> argparse.ArgumentParser:
    """Return what the command line takes."""
    root = argparse.ArgumentParser(
        prog="python -m notary",
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = root.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, job, key in (
        ("sign", "sign an image with a key of one's own", "private key in PEM"),
        ("verify", "say which trusted key signed an image; exit code 3 where none did", "trusted public keys in PEM"),
        ("provenance", "print the signed statements about where an image came from", "trusted public keys in PEM"),
    ):  # fmt: skip
        options = verbs.add_parser(verb, help=job, description=job)
        options.add_argument("image", metavar="IMAGE", help="image by digest, REGISTRY/NAME@sha256:...")
        options.add_argument("--key", type=Path, required=True, metavar="FILE", help=key)
        if verb == "sign":
            options.add_argument(
                "--password-variable",
                default="",
                metavar="NAME",
                help="environment variable with the key's password",
            )
    return root


def main(words: list[str] | None = None) -> int:
    """Do what the command line says and return the exit code: 0, 2 for a key that cannot be read, 3 where nobody trusted vouches."""
    args = parser().parse_args(words)
    try:
        return _run(args)
    except UnreadableKey as error:
        print(f"error: {args.key}: {error}", file=sys.stderr)
        return 2
    except TrustError as error:
        print(f"error: {error}", file=sys.stderr)
        return _NO


def _run(args: argparse.Namespace) -> int:
    if args.verb == "sign":
        Office.open(private_pem=_text(args.key), password=_password(args.password_variable)).sign(args.image)
        print(f"Signed: {args.image}")
        return 0
    office = Office.open(trusted_pem=_text(args.key))
    if args.verb == "verify":
        print(f"{args.image}: signed by the key {office.verify(args.image)}")
        return 0
    print(json.dumps(office.provenance(args.image), indent=2))
    return 0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UnreadableKey(f"expected a file that can be read, received {error.strerror}") from error


def _password(variable: str) -> str:
    if variable and variable not in os.environ:
        raise UnreadableKey(
            f"expected the key's password in the environment variable {variable}, received none; set it"
        )
    return os.environ[variable] if variable else ""


if __name__ == "__main__":
    sys.exit(main())
