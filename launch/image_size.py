"""How many bytes a node pulls for an image, asked of its registry.

Protocol: the OCI distribution specification, `GET /v2/<name>/manifests/<reference>`, and for an index the manifest of this machine's
platform inside it.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any, Final

_ACCEPT: Final = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    )
)


def pulled_bytes(reference: str) -> int | None:
    """Return the compressed bytes of `host/name@sha256:…`, or None where the registry does not say without credentials."""
    host, _, rest = reference.partition("/")
    name, _, digest = rest.partition("@")
    name = name.partition(":")[0]
    scheme = "http" if host.partition(":")[0] in ("127.0.0.1", "localhost") else "https"
    try:
        manifest = _manifest(f"{scheme}://{host}/v2/{name}/manifests/{digest}")
        if "manifests" in manifest:
            chosen = next(each for each in manifest["manifests"] if each["platform"]["architecture"] == "amd64")
            manifest = _manifest(f"{scheme}://{host}/v2/{name}/manifests/{chosen['digest']}")
    except (urllib.error.URLError, StopIteration, KeyError, ValueError):
        return None
    return int(sum(layer["size"] for layer in manifest["layers"]) + manifest["config"]["size"])


def _manifest(address: str) -> Any:  # JSON from the registry
    with urllib.request.urlopen(urllib.request.Request(address, headers={"Accept": _ACCEPT}), timeout=10) as answer:
        return json.load(answer)
