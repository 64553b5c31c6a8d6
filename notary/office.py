"""The keys of one party, and what it does with them: sign, attest, and ask whether anybody whom it trusts did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from notary import attestations, signatures
from notary.marks import Keys
from notary.provenance import PROVENANCE, Build
from notary.references import parse
from notary.registry import Repository
from trust.errors import UnreadableKey
from trust.keys import read_private_key, read_public_keys


@dataclass(frozen=True, kw_only=True)
class Office:
    """Keys that are trusted, and one to sign with, if any."""

    trusted: Keys
    key: ec.EllipticCurvePrivateKey | None = field(default=None, repr=False)

    @classmethod
    def open(cls, *, private_pem: str = "", password: str = "", trusted_pem: str = "") -> Office:
        """Read keys in PEM; where none is said to be trusted, the one to sign with is. Raises UnreadableKey."""
        key = (
            read_private_key(private_pem.encode(), password.encode() if password else None)
            if private_pem
            else None
        )
        if trusted_pem or key is None:
            return cls(trusted=read_public_keys(trusted_pem.encode()), key=key)
        return cls(trusted=[key.public_key()], key=key)

    def sign(self, image: str) -> None:
        """Sign an image by digest, once. Raises TrustError."""
        signatures.sign(Repository(image=parse(image)), self._own_key())

    def attest(self, image: str, build: Build) -> None:
        """Say where an image came from, unless the key has said so before. Raises TrustError."""
        attestations.attest(
            Repository(image=parse(image)), self._own_key(), kind=PROVENANCE, predicate=build.predicate()
        )

    def verify(self, image: str) -> str:
        """Return the name of the trusted key that signed an image. Raises TrustError where none did."""
        return signatures.verify(Repository(image=parse(image)), self.trusted)

    def provenance(self, image: str) -> list[dict[str, Any]]:
        """Return the statements of trusted keys about where an image came from. Raises TrustError where there is none."""
        return attestations.statements(Repository(image=parse(image)), self.trusted, kind=PROVENANCE)

    def _own_key(self) -> ec.EllipticCurvePrivateKey:
        if self.key is None:
            raise UnreadableKey("expected a private key to sign with, received none; give one")
        return self.key
