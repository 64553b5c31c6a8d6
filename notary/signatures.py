"""Signing an image and asking who signed it: a small text that names its digest ("simple signing"), and a signature over the text.

Formats: containers/image, docs/containers-signature.5.md (the text), and sigstore/cosign, specs/SIGNATURE_SPEC.md (where it is kept). The
order matters: nothing in a text is believed before a trusted key's signature over it holds.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from notary.marks import Keys, mark, marker, name_of, names_of
from notary.notes import SIGNATURES, Note, add_note, read_notes
from notary.references import Reference
from notary.registry import Repository
from trust.errors import Altered, UnknownSigner, Unsigned

_MEDIA_TYPE: Final = "application/vnd.dev.cosign.simplesigning.v1+json"
_ANNOTATION: Final = "dev.cosignproject.cosign/signature"
_KIND: Final = "cosign container image signature"


def sign(repository: Repository, key: ec.EllipticCurvePrivateKey) -> None:
    """Sign an image, unless the key has signed it before. Raises RegistryRefused, Altered."""
    _check_image(repository)
    if _signers(_notes(repository), repository.image, [key.public_key()]):
        return
    text = _text(repository.image)
    signature = base64.b64encode(mark(text, key)).decode()
    add_note(
        repository,
        SIGNATURES,
        Note(content=text, media_type=_MEDIA_TYPE, annotations={_ANNOTATION: signature}),
    )


def verify(repository: Repository, keys: Keys) -> str:
    """Return the name of the trusted key that signed an image.

    Raises Unsigned, UnknownSigner, Altered for an image, text or signature that is not what was signed, RegistryRefused.
    """
    _check_image(repository)
    notes = _notes(repository)
    if not notes:
        raise Unsigned(
            f"{repository.image}: expected a signature under the tag {repository.image.tag(SIGNATURES)}, received none; sign it with "
            "`python -m notary sign`, or set images.signingKey"
        )
    signers = _signers(notes, repository.image, keys)
    if not signers:
        raise UnknownSigner(
            f"{repository.image}: expected a signature by one of the keys {names_of(keys)}, received {len(notes)} by others, or altered; "
            "sign it with a trusted key, or trust its key if you know whose it is"
        )
    return signers[0]


def _notes(repository: Repository) -> list[Note]:
    return read_notes(repository, SIGNATURES, _MEDIA_TYPE)


def _signers(notes: Sequence[Note], image: Reference, keys: Keys) -> list[str]:
    """Return the names of those keys that vouch for the image. Raises Altered where one signed another digest."""
    found = []
    for note in notes:
        key = marker(note.content, _signature(note), keys)
        if key is not None:
            _check_text(note.content, image)
            found.append(name_of(key))
    return found


def _check_image(repository: Repository) -> None:
    if repository.manifest(repository.image.digest) is None:
        raise Altered(f"{repository.image}: expected the image in its registry, received none; push it again")


def _text(image: Reference) -> bytes:
    critical = {
        "identity": {"docker-reference": f"{image.registry}/{image.repository}"},
        "image": {"docker-manifest-digest": image.digest},
        "type": _KIND,
    }
    return json.dumps({"critical": critical, "optional": None}, separators=(",", ":")).encode()


def _check_text(content: bytes, image: Reference) -> None:
    try:
        critical: dict[str, Any] = json.loads(content)["critical"]
        told = critical["type"], critical["image"]["docker-manifest-digest"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Altered(
            f"{image}: expected a signed text about an image, received {error!r}; sign it again"
        ) from error
    if told != (_KIND, image.digest):
        raise Altered(
            f"{image}: expected a signature for this digest, received one for {told[1]}; somebody put the signature of one image beside another"
        )


def _signature(note: Note) -> bytes:
    try:
        return base64.b64decode(note.annotations.get(_ANNOTATION, ""), validate=True)
    except (binascii.Error, TypeError):
        return b""
