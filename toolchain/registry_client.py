"""Pushing an image of one layer to a registry, with the standard library alone.

Protocol: OCI distribution specification 1.1, "Push" (POST an upload, PUT the blob, PUT the manifest), and the
OCI image specification for manifest and configuration. A blob or manifest that is there is not sent again.
"""

import gzip
import hashlib
import io
import json
import tarfile
import urllib.error
import urllib.request
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from http.client import HTTPResponse
from pathlib import Path

from toolchain.errors import ComponentFailed

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Image:
    """One layer and how to run it."""

    layer: bytes
    """A gzip-compressed tar archive."""
    diff_id: str
    """Digest of the archive before compression."""
    environment: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)

    def config(self) -> bytes:
        """Return the image configuration; without dates, so equal content has an equal digest."""
        settings = {"Env": list(self.environment), "Entrypoint": list(self.entrypoint), "Labels": self.labels}
        return _json(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {key: value for key, value in settings.items() if value},
                "rootfs": {"type": "layers", "diff_ids": [self.diff_id]},
            }
        )

    def manifest(self) -> bytes:
        """Return the image manifest."""
        return _json(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST_TYPE,
                "config": _descriptor(CONFIG_TYPE, self.config()),
                "layers": [_descriptor(LAYER_TYPE, self.layer)],
            }
        )


def single_file_image(file: Path) -> Image:
    """Return an image that holds one executable in its root and runs it."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        member = tarfile.TarInfo(file.name)
        member.size, member.mode = file.stat().st_size, 0o755
        with file.open("rb") as content:
            tar.addfile(member, content)
    raw = archive.getvalue()
    return Image(layer=gzip.compress(raw, mtime=0), diff_id=digest_of(raw), entrypoint=(f"/{file.name}",))


def push(image: Image, *, registry: str, repository: str, tag: str) -> str:
    """Send what the registry lacks and return `registry/repository@digest`."""
    base = f"http://{registry}/v2/{repository}"
    manifest = image.manifest()
    digest = digest_of(manifest)
    if _exists(f"{base}/manifests/{tag}", digest):
        return f"{registry}/{repository}@{digest}"
    for blob in (image.layer, image.config()):
        _push_blob(base, blob)
    _send("PUT", f"{base}/manifests/{tag}", manifest, MANIFEST_TYPE)
    return f"{registry}/{repository}@{digest}"


def digest_of(content: bytes) -> str:
    """Return the digest as registries write it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _push_blob(base: str, blob: bytes) -> None:
    digest = digest_of(blob)
    if _exists(f"{base}/blobs/{digest}", digest):
        return
    upload = _send("POST", f"{base}/blobs/uploads/", b"", "application/octet-stream")
    separator = "&" if "?" in upload else "?"
    _send("PUT", f"{upload}{separator}digest={digest}", blob, "application/octet-stream")


def _exists(url: str, digest: str) -> bool:
    request = urllib.request.Request(url, method="HEAD", headers={"Accept": MANIFEST_TYPE})
    try:
        with _open(request) as response:
            return bool(response.headers.get("Docker-Content-Digest") == digest)
    except urllib.error.HTTPError:
        return False
    except urllib.error.URLError as error:
        raise _refusal("HEAD", url, error) from error


def _send(method: str, url: str, body: bytes, content_type: str) -> str:
    request = urllib.request.Request(url, data=body, method=method, headers={"Content-Type": content_type})
    try:
        with _open(request) as response:
            return str(response.headers.get("Location", ""))
    except urllib.error.URLError as error:
        raise _refusal(method, url, error) from error


def _refusal(method: str, url: str, error: Exception) -> ComponentFailed:
    return ComponentFailed(
        f"the registry refused {method} {url.partition('?')[0]}: {error}; see `bin/cluster status`"
    )


def _open(request: urllib.request.Request) -> AbstractContextManager[HTTPResponse]:
    # A registry on this machine is never behind the proxy that the environment may name.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    response: HTTPResponse = opener.open(request, timeout=TIMEOUT_SECONDS)
    return response


def _descriptor(media_type: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
