"""Version folders made by hand: small, whole, and different by their content."""

from __future__ import annotations

import hashlib
from pathlib import Path

from model_export.artifact import MANIFEST_NAME, FileDigest, Manifest, Source

FILES = {"saved_model.pb": b"a graph", "assets/vocab.txt": b"cat\ndog\n"}

BIG = {"saved_model.pb": bytes(range(256)) * 16_000, "assets/vocab.txt": b"cat\n", "z": b"z" * 3_000_000}
"""Several chunks of 1 MiB: there is a middle to fail in."""


def manifest_of(version: int, files: dict[str, bytes], *, name: str = "mnist") -> Manifest:
    return Manifest(
        name=name,
        version=version,
        identity="sha256:" + hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest(),
        source=Source(kind="checkpoint", name="model.ckpt-1", step=1, digest="sha256:0"),
        tensorflow_version="2.21.0",
        node_count=3,
        size_bytes=sum(map(len, files.values())),
        signatures=(),
        accuracy=None,
        files={
            path: FileDigest(sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content))
            for path, content in files.items()
        },
    )


def make_version(
    folder: Path, version: int, *, files: dict[str, bytes] | None = None, name: str = "mnist"
) -> Path:
    """Write a finished version folder below `folder` and return it."""
    content = FILES | {"salt": str(version).encode()} if files is None else files
    place = folder / f"made-{name}-{version}-{hashlib.sha256(repr(content).encode()).hexdigest()[:8]}"
    for path, each in content.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(each)
    (place / MANIFEST_NAME).write_text(manifest_of(version, content, name=name).to_json())
    return place


def contents(folder: Path) -> dict[str, bytes]:
    """Return path -> bytes of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
