"""Labels: names that point at versions and move, all in one document, which is replaced as a whole.

The document carries its own digest, because a flipped digit in it would be a valid version number.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from model_export.errors import DigestMismatchError, RepositoryError
from model_export.repository.interface import LATEST

_FORMAT: Final = 1
_LABEL: Final = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
"""A DNS label: it may become part of a host or resource name."""


@dataclass(frozen=True, kw_only=True)
class Labels:
    """The state that changes: where labels point, and which versions are on their way out."""

    pointers: Mapping[str, int] = field(default_factory=dict)
    removed: frozenset[int] = frozenset()
    """Versions that a collection has chosen: no label may point there any more, even while their files are still going."""

    def encode(self) -> bytes:
        """Return the document."""
        facts = {
            "format": _FORMAT,
            "labels": dict(sorted(self.pointers.items())),
            "removed": sorted(self.removed),
        }
        return (json.dumps({**facts, "digest": _digest(facts)}, indent=2, sort_keys=True) + "\n").encode()

    @classmethod
    def decode(cls, text: bytes, *, where: str) -> Labels:
        """Read the document. Raises DigestMismatchError when it is damaged."""
        try:
            facts = json.loads(text)
            digest = facts.pop("digest")
            if digest == _digest(facts) and facts["format"] == _FORMAT:
                return cls(pointers=facts["labels"], removed=frozenset(facts["removed"]))
            found = f"format {facts['format']} with digest {digest}"
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            found = repr(error)
        raise DigestMismatchError(
            f"{where}: expected the labels as they were written, received {found}; set every label again"
        )

    def moved(self, changes: Mapping[str, int | None], versions: Collection[int], *, where: str) -> Labels:
        """Return the labels after some changes. Raises RepositoryError when one of them cannot be."""
        for label, version in changes.items():
            if not _LABEL.fullmatch(label) or label == LATEST:
                raise RepositoryError(
                    f"{where}: expected a label of lower-case letters, digits and hyphens other than {LATEST!r}, received {label!r}"
                )
            if version is not None and (version not in versions or version in self.removed):
                known = ", ".join(map(str, sorted(set(versions) - self.removed))) or "none"
                raise RepositoryError(
                    f"{where}: expected {label!r} to point at a published version ({known}), received {version}; publish it first"
                )
        merged = {**self.pointers, **changes}
        return Labels(
            pointers={key: value for key, value in merged.items() if value is not None}, removed=self.removed
        )


def _digest(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
