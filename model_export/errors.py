"""The export error tree. Every message says what was expected, what was received and what to do next.

ExportError
├── SourceError        the trained model cannot be read: missing, corrupt, of an unknown kind
├── NotFreezableError  the graph needs something that one protobuf cannot hold: names op and node
├── SignatureError     a named input, output or signature does not exist or does not fit
├── VerificationError  the servable does not answer as its source does
├── ManifestError      a manifest is missing, damaged or of another format
├── ContractError      a servable cannot be described, or breaks the deployed contract
└── RepositoryError    publishing or fetching failed
    ├── VersionExistsError   the version is there already: versions are never overwritten
    └── DigestMismatchError  bytes are not those that the manifest names
"""


class ExportError(Exception):
    """Any failure of this package that an operator can act on."""


class SourceError(ExportError):
    """The trained model cannot be read."""


class NotFreezableError(ExportError):
    """The graph needs something that one protobuf cannot hold."""


class SignatureError(ExportError):
    """A named input, output or signature does not exist or does not fit."""


class VerificationError(ExportError):
    """The servable does not answer as its source does."""


class ManifestError(ExportError):
    """A manifest is missing, damaged or of another format."""


class ContractError(ExportError):
    """A servable cannot be described, or breaks the deployed contract."""


class RepositoryError(ExportError):
    """Publishing or fetching failed."""


class VersionExistsError(RepositoryError):
    """The version is there already: versions are never overwritten."""

    def __init__(self, message: str, *, same_content: bool = False) -> None:
        super().__init__(message)
        self.same_content = same_content
        """Whether the version that is there equals the one that was to be published, file for file."""


class DigestMismatchError(RepositoryError):
    """Bytes are not those that the manifest names."""
