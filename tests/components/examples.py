"""A stack's configuration and a servable, small enough to read, for tests to change one thing of."""

from pathlib import Path
from typing import Any

from components.config import PlatformConfig, read_config
from model_export.artifact import (
    Accuracy,
    FileDigest,
    Manifest,
    ModelArtifact,
    Signature,
    Source,
    TensorSpec,
)

DIGEST = "sha256:" + "d" * 64
TENSORFLOW_SERVING = "docker.io/tensorflow/serving:2.20.0@sha256:" + "b" * 64
UPSTREAM: dict[str, dict[str, Any]] = {
    "server": {"runtime": "tensorflow-serving"},
    "upstream": {"image": TENSORFLOW_SERVING},
}
"""A stack that has the official server run its model."""


def config(**sections: dict[str, Any]) -> PlatformConfig:
    """Return the configuration of a small CPU stack with `sections` on top."""
    small: dict[str, dict[str, Any]] = {
        "images": {"registry": "registry.example.com/team"},
        "model": {"name": "mnist", "source": "build/mnist"},
    }
    names = {*small, *sections}
    return read_config({name: {**small.get(name, {}), **sections.get(name, {})} for name in names})


def artifact(
    path: Path = Path("build/models/mnist/7"), *, name: str = "mnist", version: int = 7
) -> ModelArtifact:
    """Return a servable as an export would leave it; nothing is on disk."""
    return ModelArtifact(path=path, manifest=manifest(name=name, version=version))


def candidate(name: str = "mnist") -> ModelArtifact:
    """Return the servable of a canary: the next version."""
    return artifact(Path("build/models/mnist/8"), name=name, version=8)


def manifest(*, name: str = "mnist", version: int = 7) -> Manifest:
    images = TensorSpec(name="images", dtype="float32", shape=(None, 784))
    scores = TensorSpec(name="scores", dtype="float32", shape=(None, 10))
    return Manifest(
        name=name,
        version=version,
        identity=DIGEST,
        source=Source(
            kind="checkpoint", name=f"model.ckpt-{version}", step=version, digest="sha256:" + "5" * 64
        ),
        tensorflow_version="2.21.0",
        node_count=9,
        size_bytes=34_000,
        signatures=(Signature(name="serving_default", inputs=(images,), outputs=(scores,)),),
        accuracy=Accuracy(value=0.92, metric="top_1", examples=1000),
        files={"saved_model.pb": FileDigest(sha256="e" * 64, size_bytes=34_000)},
    )
