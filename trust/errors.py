"""What can be wrong with a signature. Messages say what was expected, what was received and what to do next.

TrustError
├── UnreadableKey     a key cannot be read, or is of a kind that is not used for models
├── Unsigned          there is no signature
├── UnknownSigner     the signature is of none of the keys that are trusted
└── Altered           a file, the name or the version is not what was signed
"""


class TrustError(Exception):
    """A model that nobody trusted vouches for."""


class UnreadableKey(TrustError):
    """A key that cannot be read, or of a kind that is not used for models."""


class Unsigned(TrustError):
    """There is no signature, or none that can be read."""


class UnknownSigner(TrustError):
    """None of the trusted keys made the signature."""


class Altered(TrustError):
    """A file, the name or the version is not what was signed."""
