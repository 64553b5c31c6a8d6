"""One digest over everything that decides what an export will hold.

Equal digest, equal servable: it lets the Pulumi program skip TensorFlow when nothing changed. It covers the bytes of the source,
what was asked for, and the exporter's format number; not where the files lie, so another machine computes the same.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from model_export.artifact import MANIFEST_FORMAT, ExportRequest, FileDigest
from model_export.errors import SourceError
from model_export.source_files import SourceFiles


def source_digest(source: SourceFiles, request: ExportRequest) -> str:
    """Return `sha256:…` over source files and request. Raises SourceError when a file cannot be read."""
    asked = asdict(request)
    for place in ("source", "base_path"):  # where files lie does not change what they hold
        del asked[place]
    facts = {
        **asked,
        "format": MANIFEST_FORMAT,
        "kind": source.kind,
        "source_name": source.name,
        "files": {_inside(source, path): file_digest(path).sha256 for path in source.files},
        "version": version_of(source, request),
        "evaluate": None if request.evaluate is None else file_digest(request.evaluate).sha256,
        "example": None if request.example is None else file_digest(request.example).sha256,
        "builder": None if request.builder is None else _builder_digest(request.builder),
    }
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()


def version_of(source: SourceFiles, request: ExportRequest) -> int:
    """Return the version that was asked for, else the checkpoint's step, else 1."""
    if request.version is not None:
        return request.version
    return source.step or 1


def file_digest(path: Path) -> FileDigest:
    """Digest one file in bounded memory. Raises SourceError when it cannot be read."""
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            return FileDigest(sha256=digest, size_bytes=stream.tell())
    except OSError as error:
        message = f"expected a readable file at {path}, received: {error.strerror or error}; correct the path or its rights"
        raise SourceError(message) from error


def _builder_digest(builder: str) -> tuple[str, str]:
    path, _, function = builder.rpartition(":")
    return file_digest(Path(path)).sha256, function


def _inside(source: SourceFiles, path: Path) -> str:
    root = source.path if source.kind == "saved_model" else source.path.parent
    return path.relative_to(root).as_posix()
