"""What is said about an image, kept beside it: each note a layer of one small manifest under a tag that follows from the digest.

cosign's layout (sigstore/cosign, specs/SIGNATURE_SPEC.md and ATTESTATION_SPEC.md). Several parties may leave notes; adding one keeps those
of the others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from notary.registry import MANIFEST_TYPE, Repository, digest_of
from trust.errors import Altered

SIGNATURES: Final = "sig"
ATTESTATIONS: Final = "att"
_CONFIG_TYPE: Final = "application/vnd.oci.image.config.v1+json"
_NO_TIME: Final = "0001-01-01T00:00:00Z"
_MOST_NOTES: Final = 100
"""A registry that offers more wants to keep us busy."""


@dataclass(frozen=True, kw_only=True)
class Note:
    """One signature or statement."""

    content: bytes
    media_type: str
    annotations: Mapping[str, str] = field(default_factory=dict)


def read_notes(repository: Repository, ending: str, media_type: str) -> list[Note]:
    """Return the notes of one kind. Raises RegistryRefused, and Altered where they are not what their digests say."""
    return [
        Note(
            content=repository.blob(layer["digest"]),
            media_type=media_type,
            annotations=layer.get("annotations") or {},
        )
        for layer in _layers(repository, ending)
        if layer["mediaType"] == media_type
    ]


def add_note(repository: Repository, ending: str, note: Note) -> None:
    """Leave a note beside the image, after those that are there. Raises RegistryRefused, Altered."""
    descriptor = {**_descriptor(note.media_type, note.content), "annotations": dict(note.annotations)}
    layers = [*_layers(repository, ending), descriptor]
    config = _json(
        {
            "architecture": "",
            "config": {},
            "created": _NO_TIME,
            "history": [{"created": _NO_TIME} for _ in layers],
            "os": "",
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
        }
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _descriptor(_CONFIG_TYPE, config),
        "layers": layers,
    }
    for blob in (note.content, config):
        repository.put_blob(blob)
    repository.put_manifest(repository.image.tag(ending), _json(manifest))


def _layers(repository: Repository, ending: str) -> list[dict[str, Any]]:
    tag = repository.image.tag(ending)
    content = repository.manifest(tag)
    if content is None:
        return []
    try:
        layers = [
            {**layer, "digest": str(layer["digest"]), "mediaType": str(layer["mediaType"])}
            for layer in json.loads(content)["layers"]
        ]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Altered(
            f"{repository.image}: expected signatures under the tag {tag}, received {error!r}; delete that tag and sign again"
        ) from error
    if len(layers) > _MOST_NOTES:
        raise Altered(
            f"{repository.image}: expected at most {_MOST_NOTES} signatures under the tag {tag}, received {len(layers)}; "
            "delete that tag and sign again"
        )
    return layers


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "size": len(content), "digest": digest_of(content)}


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
