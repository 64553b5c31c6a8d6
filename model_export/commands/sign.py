"""`sign`: vouch for a version folder with a key of one's own."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Final

from model_export.commands.screen import print_json
from model_export.errors import ExportError
from model_export.version_folder import replace_file

_EXAMPLES: Final = """\
examples:
  make a key, once; the second file is what others trust
    openssl ecparam -name prime256v1 -genkey -noout -out model.key
    openssl ec -in model.key -pubout -out model.pub
  sign a version
    python -m model_export sign models/mnist/7 --key model.key
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of `sign`."""
    parser.epilog = _EXAMPLES
    parser.add_argument("path", type=Path, metavar="PATH", help="version folder with a manifest.json")
    parser.add_argument(
        "--key", type=Path, required=True, metavar="FILE", help="private key in PEM: P-256, P-384 or P-521"
    )
    parser.add_argument(
        "--password-variable",
        metavar="NAME",
        help="environment variable with the key's password (a flag's value would be seen by everybody)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Write `model.sig` into the folder."""
    from trust import SIGNATURE_NAME, TrustError, sign

    try:
        text = sign(args.path, args.key.read_bytes(), _password(args.password_variable))
    except TrustError as error:
        raise ExportError(str(error)) from error
    replace_file(args.path / SIGNATURE_NAME, text)
    if args.json:
        print_json({"signature": str(args.path / SIGNATURE_NAME)})
    else:
        print(f"Signed: {args.path / SIGNATURE_NAME}")
    return 0


def _password(variable: str | None) -> bytes | None:
    if variable is None:
        return None
    if variable not in os.environ:
        message = f"expected the key's password in the environment variable {variable}, received none; set it"
        raise ExportError(message)
    return os.environ[variable].encode()
