"""Elliptic curve keys in PEM: the kinds that Sigstore's bundles know, each with the hash that goes with it.

Nothing here makes a key; `openssl ecparam -name prime256v1 -genkey` does, or a team's own ceremony.
"""

from __future__ import annotations

import re
from typing import Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from trust.errors import UnreadableKey

_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}
_PUBLIC: Final = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)


def read_private_key(pem: bytes, password: bytes | None) -> ec.EllipticCurvePrivateKey:
    """Read a private key. Raises UnreadableKey without quoting any of it."""
    try:
        key = serialization.load_pem_private_key(pem, password)
    except (ValueError, TypeError) as error:
        raise UnreadableKey(
            "expected a private key in PEM with its password, received something else or a wrong password; check both"
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name not in _HASHES:
        raise UnreadableKey(_wrong_kind(key))
    return key


def read_public_keys(pem: bytes) -> list[ec.EllipticCurvePublicKey]:
    """Read every public key in a PEM text. Raises UnreadableKey where there is none, or one of another kind."""
    blocks = _PUBLIC.findall(pem)
    if not blocks:
        raise UnreadableKey(
            "expected public keys in PEM (`-----BEGIN PUBLIC KEY-----`), received none; check the text"
        )
    keys = []
    for block in blocks:
        try:
            key = serialization.load_pem_public_key(block + b"\n")
        except ValueError as error:
            raise UnreadableKey(f"expected a public key in PEM, received {error}; check the text") from error
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in _HASHES:
            raise UnreadableKey(_wrong_kind(key))
        keys.append(key)
    return keys


def public_pem(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return a public key in its normal form."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def algorithm_for(key: ec.EllipticCurvePublicKey, *, deterministic: bool = False) -> ec.ECDSA:
    """Return ECDSA with the hash of the key's curve; deterministic (RFC 6979), the same content has the same signature."""
    return ec.ECDSA(_HASHES[key.curve.name], deterministic_signing=deterministic)


def _wrong_kind(key: object) -> str:
    return f"expected an elliptic curve key on {', '.join(_HASHES)}, received {type(key).__name__}; make one of those"
