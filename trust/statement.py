"""What is signed: an in-toto statement that names every file of a version folder with its SHA-256.

OpenSSF Model Signing, predicate `https://model_signing/signature/v1.0`: the subject is the folder with a digest over the digests of
its files, in the order of their names. The signature itself is left out, and so is the seal of the model repository, which is written
after it and only repeats the manifest's digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from trust.errors import Altered, Unsigned

SIGNATURE_NAME: Final = "model.sig"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://model_signing/signature/v1.0"
MANIFEST_NAME: Final = "manifest.json"
_UNSIGNED: Final = (SIGNATURE_NAME, f"{MANIFEST_NAME}.sha256")
_CHUNK_BYTES: Final = 1 << 20


def digests_of(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file that a signature covers, by its path inside the folder, in the order of the paths.

    Raises Altered for a symbolic link or a special file: what is behind it is not what was signed.
    """
    found = {}
    for path in sorted(folder.rglob("*"), key=lambda each: each.relative_to(folder).as_posix()):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise Altered(
                f"{folder}: expected plain files and folders, received {name}; copy the model again"
            )
        if path.is_file() and name not in _UNSIGNED:
            found[name] = _sha256(path)
    return found


def write_statement(name: str, digests: Mapping[str, str]) -> bytes:
    """Return the statement about a folder called `name`, as JSON whose bytes follow from its content."""
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": _root(digests.values())}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": list(_UNSIGNED),
            },
            "resources": [
                {"name": path, "algorithm": "sha256", "digest": digest} for path, digest in digests.items()
            ],
        },
    }
    return json.dumps(statement, sort_keys=True).encode()


def read_statement(payload: bytes) -> dict[str, str]:
    """Return the digests that a statement names, by path. Raises Unsigned for one that is not about a model's files."""
    try:
        statement = json.loads(payload)
        digests = _digests(statement)
        (subject,) = statement["subject"]
        root = subject["digest"]["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise Unsigned(f"expected a statement of {PREDICATE_TYPE}, received {error!r}; sign again") from error
    if statement["_type"] != STATEMENT_TYPE or statement["predicateType"] != PREDICATE_TYPE:
        raise Unsigned(f"expected {PREDICATE_TYPE}, received {statement['predicateType']!r}; sign again")
    if root != _root(digests.values()):
        raise Unsigned(
            "expected the statement's digest to be that of its files, received another; sign again"
        )
    return digests


def _digests(statement: Mapping[str, Any]) -> dict[str, str]:
    predicate = statement["predicate"]
    if predicate["serialization"]["method"] != "files":
        raise ValueError(predicate["serialization"]["method"])
    named: dict[str, str] = {}
    for each in predicate["resources"]:
        if each["algorithm"] != "sha256" or each["name"] in named:
            raise ValueError(each["name"])
        named[each["name"]] = each["digest"]
    return named


def _root(digests: Any) -> str:  # noqa: ANN401 - any iterable of hexadecimal digests
    return hashlib.sha256(b"".join(bytes.fromhex(each) for each in digests)).hexdigest()


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while chunk := content.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
