"""The S3 server of the repository's tests, for the verbs that talk to it."""

from tests.model_export.repository.conftest import s3_environment, s3_server

__all__ = ["s3_environment", "s3_server"]
