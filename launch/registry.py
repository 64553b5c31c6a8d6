"""What a container registry says of an image: whether it is there, and how many bytes a node pulls for it.

Protocol: the OCI distribution specification, `GET /v2/<name>/manifests/<reference>`; for an index, the manifest of the platform
inside it.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import Any, Final

_MANIFESTS: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)


def has_image(reference: str) -> bool:
    """Whether the registry holds `host/name:tag` and says so without credentials."""
    try:
        _manifest(reference)
    except (urllib.error.URLError, OSError, ValueError):
        return False
    return True


def is_lost(reference: str) -> bool:
    """Whether the registry answers that it does not hold the image; one that does not answer has lost nothing."""
    try:
        _manifest(reference)
    except urllib.error.HTTPError as error:
        return error.code == HTTPStatus.NOT_FOUND
    except (urllib.error.URLError, OSError, ValueError):
        return False
    return False


def pulled_bytes(reference: str) -> int | None:
    """Return the compressed bytes of an image, or None where the registry does not say without credentials."""
    try:
        manifest = _manifest(reference)
        if "manifests" in manifest:
            chosen = next(
                each for each in manifest["manifests"] if each["platform"]["architecture"] == "amd64"
            )
            manifest = _manifest(f"{reference.partition('@')[0]}@{chosen['digest']}")
    except (urllib.error.URLError, OSError, StopIteration, KeyError, ValueError):
        return None
    return int(sum(layer["size"] for layer in manifest["layers"]) + manifest["config"]["size"])


def manifest_url(reference: str) -> str:
    """Return the address of the manifest of `host/name:tag`, `host/name@digest` or `host/name:tag@digest`."""
    host, _, path = reference.partition("/")
    tagged, _, digest = path.partition("@")
    name, _, tag = tagged.partition(":")
    scheme = "http" if host.partition(":")[0] in ("127.0.0.1", "localhost") else "https"
    return f"{scheme}://{host}/v2/{name}/manifests/{digest or tag or 'latest'}"


def _manifest(reference: str) -> dict[str, Any]:
    request = urllib.request.Request(manifest_url(reference), headers={"Accept": ", ".join(_MANIFESTS)})
    with urllib.request.urlopen(request, timeout=10) as answer:
        manifest: dict[str, Any] = json.load(answer)  # JSON of the registry's own choosing
    return manifest
