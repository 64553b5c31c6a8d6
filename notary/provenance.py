"""Where an image came from: SLSA's provenance (slsa.dev/spec/v1.0/provenance), from facts that follow from the checkout.

No times and no run numbers: the same commit says the same of the same image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

PROVENANCE: Final = "https://slsa.dev/provenance/v1"
_BUILD_TYPE: Final = "urn:tf-serving-platform:image-build:v1"


@dataclass(frozen=True, kw_only=True)
class Material:
    """Something that an image was made of."""

    name: str
    digest: Mapping[str, str]
    """By algorithm: `gitCommit`, `sha256`."""
    annotations: Mapping[str, Any] = field(default_factory=dict)
    """What else is to be known of it."""


@dataclass(frozen=True, kw_only=True)
class Build:
    """How one image was made."""

    builder: str
    """URI of who made it."""
    parameters: Mapping[str, str]
    """What was asked of the builder: Dockerfile, stage, arguments."""
    materials: tuple[Material, ...]
    """Source, locks, bases, model."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Versions of the builder's parts."""

    def predicate(self) -> dict[str, Any]:
        """Return it in SLSA's words."""
        return {
            "buildDefinition": {
                "buildType": _BUILD_TYPE,
                "externalParameters": dict(self.parameters),
                "resolvedDependencies": [_descriptor(each) for each in self.materials],
            },
            "runDetails": {"builder": {"id": self.builder, "version": dict(self.versions)}},
        }


def _descriptor(material: Material) -> dict[str, Any]:
    told = {"name": material.name, "digest": dict(material.digest)}
    return {**told, "annotations": dict(material.annotations)} if material.annotations else told
