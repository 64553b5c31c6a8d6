"""Vouching for a version folder with a key of one's own."""

from __future__ import annotations

from pathlib import Path

from trust.bundle import Bundle, encode_for_signing, hint_of
from trust.errors import Altered
from trust.keys import algorithm_for, public_pem, read_private_key
from trust.statement import MANIFEST_NAME, digests_of, write_statement


def sign(folder: Path, private_pem: bytes, password: bytes | None = None) -> str:
    """Return what `model.sig` must hold for every file of a version folder to be vouched for.

    Equal content and key give an equal signature, so an image with it stays reproducible. Raises UnreadableKey, and Altered for a
    folder without a manifest, which would say neither name nor version.
    """
    key = read_private_key(private_pem, password)
    digests = digests_of(folder)
    if MANIFEST_NAME not in digests:
        raise Altered(
            f"{folder}: expected a version folder with a {MANIFEST_NAME}, received none; export it first"
        )
    payload = write_statement(folder.name, digests)
    public = key.public_key()
    signature = key.sign(encode_for_signing(payload), algorithm_for(public, deterministic=True))
    return Bundle(payload=payload, signature=signature, key_hint=hint_of(public_pem(public))).to_json()
