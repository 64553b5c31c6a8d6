"""Signed statements about an image: in-toto's statement in a DSSE envelope, as cosign keeps it.

Formats: in-toto/attestation, spec/v1; secure-systems-lab/dsse, envelope.md; sigstore/cosign, specs/ATTESTATION_SPEC.md.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from notary.marks import Keys, mark, marker, names_of
from notary.notes import ATTESTATIONS, Note, add_note, read_notes
from notary.references import Reference
from notary.registry import Repository
from trust.bundle import PAYLOAD_TYPE, encode_for_signing
from trust.errors import Unsigned
from trust.statement import STATEMENT_TYPE

_MEDIA_TYPE: Final = "application/vnd.dsse.envelope.v1+json"


def attest(
    repository: Repository, key: ec.EllipticCurvePrivateKey, *, kind: str, predicate: Mapping[str, Any]
) -> None:
    """Leave a signed statement beside an image, unless the key has left one of that kind before.

    Where several commits give the same image, what was said of the first is true, and a note for each would be a heap without end.
    Raises RegistryRefused, Altered.
    """
    if _signed_by(repository, [key.public_key()], kind):
        return
    payload = _payload(repository.image, kind, predicate)
    signature = mark(encode_for_signing(payload), key)
    envelope = {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": "", "sig": base64.b64encode(signature).decode()}],
    }
    note = Note(
        content=json.dumps(envelope, sort_keys=True).encode(),
        media_type=_MEDIA_TYPE,
        # cosign reads an attestation only where the first stands, empty, and finds its kind by the second.
        annotations={"dev.cosignproject.cosign/signature": "", "predicateType": kind},
    )
    add_note(repository, ATTESTATIONS, note)


def statements(repository: Repository, keys: Keys, *, kind: str) -> list[dict[str, Any]]:
    """Return what trusted keys state about an image, oldest first. Raises Unsigned where they state nothing, RegistryRefused, Altered."""
    found = _signed_by(repository, keys, kind)
    if not found:
        raise Unsigned(
            f"{repository.image}: expected a statement of {kind} signed by one of the keys {names_of(keys)}, received none; build it with "
            "images.signingKey set"
        )
    return found


def _signed_by(repository: Repository, keys: Keys, kind: str) -> list[dict[str, Any]]:
    notes = read_notes(repository, ATTESTATIONS, _MEDIA_TYPE)
    return [statement for note in notes if (statement := _statement(note, repository.image, keys, kind))]


def _payload(image: Reference, kind: str, predicate: Mapping[str, Any]) -> bytes:
    subject = {
        "name": f"{image.registry}/{image.repository}",
        "digest": {"sha256": image.digest.removeprefix("sha256:")},
    }
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [subject],
        "predicateType": kind,
        "predicate": predicate,
    }
    return json.dumps(statement, sort_keys=True).encode()


def _statement(note: Note, image: Reference, keys: Keys, kind: str) -> dict[str, Any] | None:
    """Return a statement of that kind about this image that a trusted key signed; None for any other note."""
    try:
        envelope = json.loads(note.content)
        payload = base64.b64decode(envelope["payload"], validate=True)
        (signed,) = envelope["signatures"]
        signature = base64.b64decode(signed["sig"], validate=True)
        if envelope["payloadType"] != PAYLOAD_TYPE or not marker(
            encode_for_signing(payload), signature, keys
        ):
            return None
        statement: dict[str, Any] = json.loads(payload)
        digests = {subject["digest"]["sha256"] for subject in statement["subject"]}
        about = statement["predicateType"]
    except (ValueError, KeyError, TypeError, binascii.Error, RecursionError):
        return None
    return statement if about == kind and image.digest.removeprefix("sha256:") in digests else None
