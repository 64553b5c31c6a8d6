"""What can be wrong with an image and its signatures, beside what `trust.errors` knows.

trust.TrustError
├── NotAReference     an image is not named by digest
└── RegistryRefused   a registry cannot be reached, or does not let us read or write
"""

from trust.errors import TrustError


class NotAReference(TrustError):
    """A name that is not of one image for ever: without a digest, or no name at all."""


class RegistryRefused(TrustError):
    """A registry that cannot be reached, or that does not let us read or write."""
