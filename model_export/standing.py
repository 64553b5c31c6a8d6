"""What already stands in a model's folder, judged by its manifest and the digests of its files; standard library only."""

from __future__ import annotations

from pathlib import Path

from model_export.artifact import MANIFEST_NAME, ExportRequest, FileDigest, Manifest, ModelArtifact
from model_export.errors import ExportError, ManifestError
from model_export.fingerprint import file_digest, source_digest, version_of
from model_export.source_files import SourceFiles


def standing_artifact(source: SourceFiles, request: ExportRequest) -> ModelArtifact | None:
    """Return the version that was exported from this very source for this very request, whole; None when there is none.

    Raises SourceError when the source cannot be read.
    """
    digest = source_digest(source, request)
    version_path = request.base_path / str(version_of(source, request))
    try:
        manifest = Manifest.read(version_path)
    except ManifestError:
        return None
    if manifest.source.digest != digest or not is_whole(version_path, manifest):
        return None
    return ModelArtifact(path=version_path, manifest=manifest)


def is_whole(version_path: Path, manifest: Manifest) -> bool:
    """Tell whether every file that the manifest names is there with the bytes that it names."""
    try:
        return all(file_digest(version_path / name) == expected for name, expected in manifest.files.items())
    except ExportError:
        return False


def files_of(version_path: Path) -> dict[str, FileDigest]:
    """Digest every file of a version folder but the manifest, by path inside the folder."""
    paths = sorted(each for each in version_path.rglob("*") if each.is_file())
    inside = {each.relative_to(version_path).as_posix(): each for each in paths}
    return {name: file_digest(each) for name, each in inside.items() if name != MANIFEST_NAME}
