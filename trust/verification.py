"""Refusing a model that nobody trusted vouches for: unsigned, signed by a stranger, altered, or another version than it says.

The order matters: nothing of a statement is believed before its signature holds, and nothing of the folder before its digests do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

from trust.bundle import Bundle, encode_for_signing, hint_of
from trust.errors import Altered, UnknownSigner
from trust.keys import algorithm_for, public_pem, read_public_keys
from trust.statement import MANIFEST_NAME, digests_of, read_statement

Keys = Sequence[ec.EllipticCurvePublicKey]
_MOST_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class Vouched:
    """What a signature stands for."""

    key: str
    """Name of the key that signed: the SHA-256 of its PEM."""
    files: int
    """How many files it covers."""


def read_keys(pem: str) -> Keys:
    """Read the public keys that are trusted, one or several in PEM. Raises UnreadableKey."""
    return read_public_keys(pem.encode())


def verify(folder: Path, keys: Keys, *, name: str, version: int) -> Vouched:
    """Say who vouches for a version folder as this version of this model.

    Raises Unsigned, UnknownSigner, Altered. A signature over an older version is refused for a newer one: the manifest that is
    signed names both.
    """
    bundle = Bundle.read(folder)
    signer = _signer(folder, bundle, keys)
    signed = read_statement(bundle.payload)
    _compare(folder, signed, digests_of(folder))
    _check_manifest(folder, signed, name=name, version=version)
    return Vouched(key=hint_of(public_pem(signer)), files=len(signed))


def _signer(folder: Path, bundle: Bundle, keys: Keys) -> ec.EllipticCurvePublicKey:
    signed = encode_for_signing(bundle.payload)
    for key in keys:
        try:
            key.verify(bundle.signature, signed, algorithm_for(key))
        except InvalidSignature:
            continue
        return key
    trusted = ", ".join(hint_of(public_pem(key))[:12] for key in keys)
    raise UnknownSigner(
        f"{folder}: expected a signature by one of the keys {trusted}, received one by {bundle.key_hint[:12]!r} or an altered "
        "one; sign it with a trusted key, or trust its key if you know whose it is"
    )


def _compare(folder: Path, signed: Mapping[str, str], found: Mapping[str, str]) -> None:
    wrong = {
        "altered": [path for path in signed if path in found and signed[path] != found[path]],
        "missing": [path for path in signed if path not in found],
        "not signed": [path for path in found if path not in signed],
    }
    told = [f"{what}: {_some(paths)}" for what, paths in wrong.items() if paths]
    if told:
        raise Altered(
            f"{folder}: expected the files that were signed, received {'; '.join(told)}; fetch or export the model again"
        )


def _check_manifest(folder: Path, signed: Mapping[str, str], *, name: str, version: int) -> None:
    if MANIFEST_NAME not in signed:
        raise Altered(
            f"{folder}: expected the signature to cover {MANIFEST_NAME}, received one without; sign again"
        )
    try:
        manifest = json.loads((folder / MANIFEST_NAME).read_bytes())
        told = manifest["name"], manifest["version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Altered(f"{folder}: expected a manifest with name and version, received {error!r}") from error
    if told != (name, version):
        raise Altered(
            f"{folder}: expected {name} version {version}, received a signature for {told[0]} version {told[1]}; "
            "somebody put one version in the place of another"
        )


def _some(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
    return ", ".join(sorted(paths)[:_MOST_NAMED]) + more
