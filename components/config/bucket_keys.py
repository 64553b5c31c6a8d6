"""The keys of a model repository in a bucket: the same where versions are kept and where they are fetched from."""

from components.config.fields import OBJECT_NAME, setting


def bucket(doc: str) -> str:
    """Return the key of a bucket with a prefix, empty for none."""
    made: str = setting(
        "",
        doc,
        pattern=(
            r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/\S+)?",
            "a bucket with a prefix, such as s3://models/team",
        ),
    )
    return made


def endpoint() -> str:
    """Return the key of a server's address."""
    made: str = setting(
        "",
        "Address of an S3 server other than Amazon's.",
        pattern=(r"https?://\S+", "an http or https address"),
    )
    return made


def region() -> str:
    """Return the key of a region."""
    made: str = setting("", "Region of the bucket; empty for the client's default.")
    return made


def credentials_secret() -> str:
    """Return the key of the Secret that opens the bucket."""
    made: str = setting(
        "",
        "Secret whose key `credentials` is an AWS credentials file; empty for the pod's own identity.",
        pattern=OBJECT_NAME,
    )
    return made
