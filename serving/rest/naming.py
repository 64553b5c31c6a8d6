"""Inputs that a JSON body names by digest instead of holding them: `{"sha256": "<64 hexadecimal digits>"}`."""

from typing import Any, Final

from serving.errors import InvalidRequest
from serving.repository import Servable
from serving.tensors.digests import KEY, NO_DIGESTS, holds_digests, replace_digests
from serving.tensors.signatures import Signature

NAMED: Final = b'"sha256"'
"""A body without these bytes names nothing, and need not be looked through."""


def name_inputs(document: dict[str, Any], servable: Servable, signature: Signature) -> dict[str, Any]:
    """The document with its names as InputDigests.

    Raises InvalidRequest for a name that is none, or where no inputs are kept. A signature with an input called
    sha256 keeps its meaning.
    """
    if KEY in signature.inputs:
        return document
    named = {
        key: replace_digests(value) if key in {"instances", "inputs"} else value
        for key, value in document.items()
    }
    if not servable.takes_digests(signature) and any(map(holds_digests, named.values())):
        raise InvalidRequest(NO_DIGESTS)
    return named
