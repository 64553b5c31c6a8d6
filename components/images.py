"""RuntimeImage, ModelImage and FetchImage: what a pod starts from, always named by digest.

The runtime (API layer and TensorFlow's libraries) is some 250 MB and changes with a release; the model is one layer on top and changes
with every training run. So a new model costs a node one small layer. The runtime's build context is what the Dockerfile copies and
nothing else (`images/Dockerfile.dockerignore`), and the model's is its version folder: a change of the docs builds nothing.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pulumi
import pulumi_docker_build as docker_build

from components import naming
from components.config import ImagesConfig, ModelConfig
from components.errors import config_error
from components.vouching import Recipe, vouched_image
from model_export.artifact import ModelArtifact

if TYPE_CHECKING:
    from notary import Office

_SOURCE_DATE_EPOCH: Final = "1735689600"
"""Time stamp of every file and image: 2025-01-01. Equal inputs give equal digests, and an equal digest is no rollout."""
_PROJECT: Final = Path(__file__).parents[1]
"""This checkout, wherever the program that uses it runs: not resolved, so that a link to it is as good."""
_BASE_STAGE: Final = "base"
"""Stage of the Dockerfile that makes a base where the configuration names none."""
_EXPORT: Final = (
    "type=registry,oci-mediatypes=true,compression=zstd,compression-level=6,rewrite-timestamp=true"
)
"""zstd layers are a fifth smaller than gzip's and unpack several times as fast; containerd reads them since 1.5, Docker since 23."""


@dataclass(frozen=True, kw_only=True)
class RuntimeImageArgs:
    """The image that every model of a stack is put on."""

    images: ImagesConfig
    """Registry, bases, builder."""
    accelerator: str
    """`cpu` or `gpu`: which lock of requirements, and so which TensorFlow, is in it."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Files of the build (`pip_config`, `ca_certificates`) by id; they are in no layer."""
    office: "Office | None" = field(default=None, repr=False)
    """Keys that it is signed with and asked for by; None for neither."""


class RuntimeImage(pulumi.ComponentResource):
    """API layer and TensorFlow, without a model."""

    ref: pulumi.Output[str]
    """Name with digest."""

    def __init__(self, name: str, args: RuntimeImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tfserving:images:RuntimeImage", name, None, opts)
        build_args = {
            "BASE_IMAGE": args.images.base or _BASE_STAGE,
            "BUILDER_IMAGE": args.images.builder_base,
            "REQUIREMENTS": "serving" if args.accelerator == "cpu" else f"serving-{args.accelerator}",
        }
        build = _build_args(
            args.images,
            dockerfile=_location(_PROJECT / "images/Dockerfile"),
            context=_location(_PROJECT),
            tag=f"runtime:{args.accelerator}",
            build_args=build_args,
        )
        build.target = "runtime"
        _give_secrets(build, args.secrets)
        build.cache_from, build.cache_to = _cache(args.images, f"runtime-{args.accelerator}")
        self.image = docker_build.Image(f"{name}-image", build, opts=_kept_by(self))
        locks = ("runtime", str(build_args["REQUIREMENTS"]), "bare")
        recipe = _recipe(args.images, "images/Dockerfile", build_args, locks=locks)
        self.ref = vouched_image(self.image.ref, args.office, recipe)
        self.register_outputs({"ref": self.ref})


@dataclass(frozen=True, kw_only=True)
class FetchImageArgs:
    """The image that brings versions from a model repository into pods."""

    images: ImagesConfig
    """Registry, base of the build stage, builder."""
    runtime: pulumi.Input[str]
    """Runtime image by digest: what the pods run, so that their nodes have it."""
    accelerator: str
    """`cpu` or `gpu`: of which runtime that is."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """As of the runtime."""
    office: "Office | None" = field(default=None, repr=False)
    """Keys that it is signed with and asked for by; None for neither."""


class FetchImage(pulumi.ComponentResource):
    """The exporter's `fetch` and its S3 client, as a small layer on a runtime."""

    ref: pulumi.Output[str]
    """Name with digest."""

    def __init__(self, name: str, args: FetchImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tfserving:images:FetchImage", name, None, opts)
        build_args = {"RUNTIME_IMAGE": args.runtime, "BUILDER_IMAGE": args.images.builder_base}
        build = _build_args(
            args.images,
            dockerfile=_location(_PROJECT / "images/fetch.Dockerfile"),
            context=_location(_PROJECT),
            tag=f"fetch:{args.accelerator}",
            build_args=build_args,
        )
        build.target = "fetch"
        _give_secrets(build, args.secrets)
        self.image = docker_build.Image(f"{name}-image", build, opts=_kept_by(self))
        recipe = _recipe(args.images, "images/fetch.Dockerfile", build_args, locks=("fetch",))
        self.ref = vouched_image(self.image.ref, args.office, recipe)
        self.register_outputs({"ref": self.ref})


def pushed_image(model: ModelConfig, artifact: ModelArtifact) -> str:
    """Return the image that `model.pushedImage` names, or nothing where one is built.

    Raises ConfigError for an image of another model or version than the pods are said to run.
    """
    named, repository = model.pushed_image, _repository(artifact)
    if named and f"/{repository.rpartition('/')[2]}@" not in named:
        remedy = "leave it out to build that version's image"
        raise config_error("model.pushedImage", f"an image `…/{repository}@sha256:…`", named, remedy)
    return named


@dataclass(frozen=True, kw_only=True)
class ModelImageArgs:
    """One version of one model, as a layer on a runtime."""

    images: ImagesConfig
    """Registry and builder."""
    runtime: pulumi.Input[str]
    """Runtime image by digest."""
    artifact: ModelArtifact
    """Servable on this machine."""
    office: "Office | None" = field(default=None, repr=False)
    """Keys that it is signed with and asked for by; None for neither."""


class ModelImage(pulumi.ComponentResource):
    """Runtime and model: a container of it serves without any argument."""

    ref: pulumi.Output[str]
    """Name with digest."""

    def __init__(self, name: str, args: ModelImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tfserving:images:ModelImage", name, None, opts)
        model = args.artifact
        build_args = {
            "RUNTIME_IMAGE": args.runtime,
            "MODEL_NAME": model.name,
            "MODEL_VERSION": str(model.version),
        }
        build = _build_args(
            args.images,
            dockerfile=_location(_PROJECT / "images/model.Dockerfile"),
            context=_location(model.path),
            tag=_repository(model),
            build_args=build_args,
        )
        self.image = docker_build.Image(f"{name}-image", build, opts=_kept_by(self))
        recipe = _recipe(args.images, "images/model.Dockerfile", build_args, model=model)
        self.ref = vouched_image(self.image.ref, args.office, recipe)
        self.register_outputs({"ref": self.ref})


def _repository(artifact: ModelArtifact) -> str:
    return f"models/{naming.repository(artifact.name)}:{artifact.version}"


def _build_args(
    images: ImagesConfig,
    *,
    dockerfile: str,
    context: str,
    tag: str,
    build_args: Mapping[str, pulumi.Input[str]],
) -> docker_build.ImageArgs:
    return docker_build.ImageArgs(
        push=False,  # the export below pushes; `push` would export a second time
        exports=[docker_build.ExportArgs(raw=_EXPORT)],
        dockerfile=docker_build.DockerfileArgs(location=dockerfile),
        context=docker_build.BuildContextArgs(location=context),
        tags=[f"{images.registry}/{tag}"],
        build_args={**build_args, "SOURCE_DATE_EPOCH": _SOURCE_DATE_EPOCH},
        platforms=[docker_build.Platform(images.platform)],
        no_cache=None if images.build_cache else True,
        builder=docker_build.BuilderConfigArgs(name=images.builder) if images.builder else None,
        # A preview needs neither builder nor registry, and takes seconds; the Dockerfile is still checked.
        build_on_preview=False,
    )


def _recipe(
    images: ImagesConfig,
    dockerfile: str,
    arguments: Mapping[str, pulumi.Input[str]],
    *,
    locks: tuple[str, ...] = (),
    model: ModelArtifact | None = None,
) -> Recipe:
    return Recipe(
        checkout=_PROJECT,
        builder=images.builder,
        dockerfile=dockerfile,
        arguments=arguments,
        locks=tuple(f"requirements/{lock}.txt" for lock in locks),
        model=model,
    )


def _give_secrets(build: docker_build.ImageArgs, secrets: Mapping[str, str]) -> None:
    build.secrets = {id_: pulumi.Output.secret(text) for id_, text in secrets.items()} or None
    # A rotated certificate or password does not make another image.
    build.ignore_secrets_in_diff_calculation = sorted(secrets) or None


def _cache(
    images: ImagesConfig, name: str
) -> tuple[list[docker_build.CacheFromArgs] | None, list[docker_build.CacheToArgs] | None]:
    if not images.registry_cache:
        return None, None
    ref = f"{images.registry}/cache:{name}"
    source = docker_build.CacheFromRegistryArgs(ref=ref)
    target = docker_build.CacheToRegistryArgs(ref=ref, mode=docker_build.CacheMode.MAX)
    return [docker_build.CacheFromArgs(registry=source)], [docker_build.CacheToArgs(registry=target)]


def _kept_by(parent: pulumi.Resource) -> pulumi.ResourceOptions:
    # Stacks that build the same model share its digest: destroying one must not take the image from under another.
    return pulumi.ResourceOptions(parent=parent, retain_on_delete=True)


def _location(path: Path) -> str:
    """Relative to where the program runs, so that the state is the same from every machine that has both folders side by side."""
    return os.path.relpath(path)
