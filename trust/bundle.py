"""How a signed statement is kept: a Sigstore bundle around a DSSE envelope, in `model.sig`.

Sigstore's `bundle.proto` v0.3 as JSON, and DSSE v1 (secure-systems-lab/dsse, protocol.md): what is signed is not the payload but its
pre-authentication encoding, which binds its type. The key is named by the SHA-256 of its PEM, as the `model_signing` package names it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trust.errors import Unsigned
from trust.statement import SIGNATURE_NAME

_MEDIA_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
_MOST_BYTES: Final = 16 << 20
"""A statement has about 150 bytes a file."""


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A signed statement."""

    payload: bytes
    """The statement."""
    signature: bytes
    """ECDSA over the pre-authentication encoding of the payload, in DER."""
    key_hint: str
    """Which key made it."""

    def to_json(self) -> str:
        """Return the bundle as `model.sig` holds it."""
        document = {
            "mediaType": _MEDIA_TYPE,
            "verificationMaterial": {"publicKey": {"hint": self.key_hint}, "tlogEntries": []},
            "dsseEnvelope": {
                "payload": base64.b64encode(self.payload).decode(),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"sig": base64.b64encode(self.signature).decode(), "keyid": ""}],
            },
        }
        return json.dumps(document, indent=2, sort_keys=True) + "\n"

    @classmethod
    def read(cls, folder: Path) -> Bundle:
        """Read `model.sig` of a version folder. Raises Unsigned when there is none, or none that can be read."""
        path = folder / SIGNATURE_NAME
        try:
            with path.open("rb") as file:
                content = file.read(_MOST_BYTES + 1)
        except OSError as error:
            raise Unsigned(
                f"{path}: expected a signature, received none ({error.strerror}); sign the folder with "
                "`python -m model_export sign`"
            ) from error
        if len(content) > _MOST_BYTES:
            raise Unsigned(f"{path}: expected at most {_MOST_BYTES} bytes, received more; sign again")
        return cls._parse(content, path)

    @classmethod
    def _parse(cls, content: bytes, path: Path) -> Bundle:
        try:
            document = json.loads(content)
            envelope = document["dsseEnvelope"]
            (signed,) = envelope["signatures"]
            if envelope["payloadType"] != PAYLOAD_TYPE:
                raise ValueError(envelope["payloadType"])
            return cls(
                payload=base64.b64decode(envelope["payload"], validate=True),
                signature=base64.b64decode(signed["sig"], validate=True),
                key_hint=str(document["verificationMaterial"]["publicKey"]["hint"]),
            )
        except (ValueError, KeyError, TypeError, binascii.Error, RecursionError) as error:
            raise Unsigned(
                f"{path}: expected a Sigstore bundle that an elliptic curve key signed, received {error!r}; sign again"
            ) from error


def encode_for_signing(payload: bytes) -> bytes:
    """Return what is signed for a payload (DSSE's PAE)."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def hint_of(public_pem: bytes) -> str:
    """Return the name of a key, from its normal PEM form."""
    return hashlib.sha256(public_pem).hexdigest()
