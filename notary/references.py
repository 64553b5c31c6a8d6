"""An image by digest, and the tags beside it that cosign keeps what is said about it under."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from notary.errors import NotAReference

_BY_DIGEST: Final = re.compile(
    r"(?P<registry>[a-zA-Z0-9.-]+(?::\d+)?)/(?P<repository>[a-z0-9._/-]+)(?::[\w.-]+)?@(?P<digest>sha256:[0-9a-f]{64})"
)


@dataclass(frozen=True, kw_only=True)
class Reference:
    """`registry/repository@sha256:…`."""

    registry: str
    """Host, with its port where there is one."""
    repository: str
    digest: str
    """`sha256:` and 64 hexadecimal digits."""

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}@{self.digest}"

    def tag(self, ending: str) -> str:
        """Return the tag of what is kept beside the image (cosign, specs/SIGNATURE_SPEC.md, "Tag-based discovery")."""
        return f"{self.digest.replace(':', '-')}.{ending}"


def parse(text: str) -> Reference:
    """Read a reference; a tag in it is left out, because only the digest counts. Raises NotAReference."""
    found = _BY_DIGEST.fullmatch(text)
    if not found:
        raise NotAReference(
            f"expected an image by digest, `REGISTRY/NAME@sha256:…`, received {text!r}; a tag can be moved, so write the digest"
        )
    return Reference(registry=found["registry"], repository=found["repository"], digest=found["digest"])
