"""The keys of how a version reaches the pods: as a layer of the image, or from a model repository."""

from dataclasses import dataclass
from typing import ClassVar

from components.config import bucket_keys
from components.config.fields import OBJECT_NAME, check_limits, setting
from components.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class DeliveryConfig:
    """How a version reaches the pods; the repository is one that `python -m model_export publish` fills."""

    SECTION: ClassVar[str] = "delivery"

    mode: str = setting(
        "image",
        "image (a layer of the image), init-fetch (each pod fetches it from a bucket) or volume (pods mount a claim that holds it).",
        choices=("image", "init-fetch", "volume"),
    )
    bucket: str = bucket_keys.bucket(
        "Bucket and prefix of the repository, below which the model has its base path, such as s3://models/team."
    )
    endpoint: str = bucket_keys.endpoint()
    region: str = bucket_keys.region()
    credentials_secret: str = bucket_keys.credentials_secret()
    fetch_image: str = setting(
        "",
        "Image by digest, with this project's `model_export` and boto3, that fetches; empty to build one.",
        pattern=(r"\S+@sha256:[0-9a-f]{64}", "an image by digest, `NAME@sha256:…`"),
    )
    claim: str = setting(
        "", "PersistentVolumeClaim of the namespace that holds the repository.", pattern=OBJECT_NAME
    )

    def __post_init__(self) -> None:
        check_limits(self, self.SECTION)
        needed = {"init-fetch": "bucket", "volume": "claim"}.get(self.mode)
        if needed and not getattr(self, needed):
            raise ConfigError(
                f"delivery.mode is {self.mode} but delivery.{needed} is not set; set it, or set delivery.mode to image"
            )
