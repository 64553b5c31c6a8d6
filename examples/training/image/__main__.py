"""The image of `examples/training`, built and pushed: its output `image` is what that stack's `training.image` takes."""

import os
from pathlib import Path

import pulumi
import pulumi_docker_build as docker_build

PROJECT = Path(__file__).resolve().parents[3]

config = pulumi.Config()
builder = config.get("builder")
# Where these are not set, the Dockerfile's own count.
bases = {"BASE_IMAGE": config.get("base"), "BUILDER_IMAGE": config.get("builderBase")}
image = docker_build.Image(
    "training",
    push=False,  # the export pushes
    exports=[docker_build.ExportArgs(raw="type=registry,oci-mediatypes=true,compression=zstd")],
    context=docker_build.BuildContextArgs(location=os.path.relpath(PROJECT)),
    dockerfile=docker_build.DockerfileArgs(
        location=os.path.relpath(PROJECT / "examples/training/Dockerfile")
    ),
    build_args={name: value for name, value in bases.items() if value},
    tags=[f"{config.require('registry')}/mnist-training:cpu"],
    platforms=[docker_build.Platform.LINUX_AMD64],
    builder=docker_build.BuilderConfigArgs(name=builder) if builder else None,
    build_on_preview=False,
    # Runs that are declared elsewhere go on naming it.
    opts=pulumi.ResourceOptions(retain_on_delete=True),
)

pulumi.export("image", image.ref)
