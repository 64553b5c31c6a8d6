"""A signature over bytes as cosign makes it: ECDSA with SHA-256, whatever the curve.

Deterministic (RFC 6979), so that signing again changes nothing in the registry.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from trust.bundle import hint_of
from trust.keys import public_pem

Keys = Sequence[ec.EllipticCurvePublicKey]
_HASH: Final = hashes.SHA256()


def mark(content: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the signature of a key over content."""
    return key.sign(content, ec.ECDSA(_HASH, deterministic_signing=True))


def marker(content: bytes, signature: bytes, keys: Keys) -> ec.EllipticCurvePublicKey | None:
    """Return the key that made a signature over content; None where it is none of these."""
    for key in keys:
        try:
            key.verify(signature, content, ec.ECDSA(_HASH))
        except InvalidSignature:
            continue
        return key
    return None


def name_of(key: ec.EllipticCurvePublicKey) -> str:
    """Return the name of a key, as `trust` names it."""
    return hint_of(public_pem(key))


def names_of(keys: Keys) -> str:
    """Return the names of keys as a message shows them."""
    return ", ".join(name_of(key)[:12] for key in keys)
