"""An SPDX 2.3 document (spdx.github.io/spdx-spec/v2.3, JSON) about one version of a model, alone or in its image.

    document ──describes──> image ──contains──> model ──contains──> files
                              └──contains──> packages of its locks

The document follows from what it is about: no random names, and the only time is the one that the caller gives.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from model_export.artifact import FileDigest, Manifest
from model_export.materials.locks import Locked

_DOCUMENT: Final = "SPDXRef-DOCUMENT"
_MODEL: Final = "SPDXRef-model"
_IMAGE: Final = "SPDXRef-image"
_NONE: Final = "NOASSERTION"


def document(
    manifest: Manifest,
    *,
    sha1: Mapping[str, str],
    packages: Sequence[Locked] = (),
    image: str = "",
    created_seconds: int = 0,
) -> dict[str, Any]:
    """Return the document; with `image`, a reference by digest, it is about the image and what its locks install.

    `sha1` is what the format asks of every file besides its SHA-256. `created_seconds` counts from 1970, as SOURCE_DATE_EPOCH does.
    """
    about = f"{manifest.name}-{manifest.version}"
    identity = manifest.identity.removeprefix("sha256:")
    created = datetime.fromtimestamp(created_seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    files = [_file(path, digest, sha1[path]) for path, digest in sorted(manifest.files.items())]
    installed = [_package(each) for each in sorted(set(packages))]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": _DOCUMENT,
        "name": about,
        "documentNamespace": f"urn:tf-serving-platform:{'image' if image else 'model'}:{about}:{identity}",
        "creationInfo": {"created": created, "creators": ["Tool: tf-serving-platform"]},
        "packages": [*([_image(image)] if image else []), _model(manifest, sha1), *installed],
        "files": files,
        "relationships": _relationships(files, installed, has_image=bool(image)),
    }


def _model(manifest: Manifest, sha1: Mapping[str, str]) -> dict[str, Any]:
    source = manifest.source
    return {
        "SPDXID": _MODEL,
        "name": manifest.name,
        "versionInfo": str(manifest.version),
        "downloadLocation": _NONE,
        "filesAnalyzed": True,
        "packageVerificationCode": {"packageVerificationCodeValue": _verification_code(sha1)},
        "licenseInfoFromFiles": [_NONE],
        "licenseConcluded": _NONE,
        "licenseDeclared": _NONE,
        "copyrightText": _NONE,
        "sourceInfo": f"{source.kind} {source.name}, {source.digest}; written by TensorFlow {manifest.tensorflow_version}",
        "comment": f"identity of the computation: {manifest.identity}",
    }


def _image(reference: str) -> dict[str, Any]:
    name, _, digest = reference.partition("@sha256:")
    checksums = {"checksums": [_checksum(digest)]} if re.fullmatch(r"[0-9a-f]{64}", digest) else {}
    return {
        "SPDXID": _IMAGE,
        "name": name,
        "downloadLocation": _NONE,
        "filesAnalyzed": False,
        "licenseConcluded": _NONE,
        "licenseDeclared": _NONE,
        "copyrightText": _NONE,
        **checksums,
    }


def _package(locked: Locked) -> dict[str, Any]:
    return {
        "SPDXID": f"SPDXRef-pypi-{_id(locked.name)}-{_id(locked.version)}",
        "name": locked.name,
        "versionInfo": locked.version,
        "downloadLocation": _NONE,
        "filesAnalyzed": False,
        "licenseConcluded": _NONE,
        "licenseDeclared": _NONE,
        "copyrightText": _NONE,
        "comment": f"one of the files with these SHA-256: {', '.join(sorted(locked.hashes))}",
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": f"pkg:pypi/{locked.name}@{locked.version}",
            }
        ],
    }


def _verification_code(sha1: Mapping[str, str]) -> str:
    """Section 7.9 of the specification."""
    return hashlib.sha1("".join(sorted(sha1.values())).encode(), usedforsecurity=False).hexdigest()


def _file(path: str, digest: FileDigest, sha1: str) -> dict[str, Any]:
    return {
        "SPDXID": f"SPDXRef-file-{digest.sha256[:12]}-{_id(path)}",
        "fileName": f"./{path}",
        "checksums": [{"algorithm": "SHA1", "checksumValue": sha1}, _checksum(digest.sha256)],
        "licenseConcluded": _NONE,
        "licenseInfoInFiles": [_NONE],
        "copyrightText": _NONE,
    }


def _relationships(
    files: Sequence[dict[str, Any]], installed: Sequence[dict[str, Any]], *, has_image: bool
) -> list[dict[str, str]]:
    top = _IMAGE if has_image else _MODEL
    pairs = [(_DOCUMENT, "DESCRIBES", top)]
    pairs += [(_IMAGE, "CONTAINS", _MODEL)] if has_image else []
    pairs += [(_MODEL, "CONTAINS", each["SPDXID"]) for each in files]
    pairs += [(top, "CONTAINS" if has_image else "DEPENDS_ON", each["SPDXID"]) for each in installed]
    return [
        {"spdxElementId": subject, "relationshipType": kind, "relatedSpdxElement": target}
        for subject, kind, target in pairs
    ]


def _checksum(sha256: str) -> dict[str, str]:
    return {"algorithm": "SHA256", "checksumValue": sha256}


def _id(text: str) -> str:
    """SPDX identifiers have letters, digits, dots and dashes only."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", text)
