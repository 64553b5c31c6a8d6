"""An image passes on only once somebody whom the stack trusts has signed it: what its pods wait for.

Where the stack has a key, what it built is signed after the push, with a statement of where it came from, and then asked for like any
other. A preview asks nothing: it needs no registry. An image that nobody vouches for fails the output, and with it every update that
waits for the image, before a pod is touched.
"""

import asyncio
import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pulumi

from model_export.artifact import ModelArtifact

if TYPE_CHECKING:  # it comes with cryptography, which only stacks that sign images have in memory
    from notary import Build, Material, Office


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How an image was built, for its provenance."""

    checkout: Path
    """Folder of the source."""
    builder: str
    """Name of the BuildKit builder; empty for the current one."""
    dockerfile: str
    arguments: Mapping[str, pulumi.Input[str]]
    """Build arguments. One that is an image by digest is named among what the image was made of."""
    locks: tuple[str, ...] = ()
    """Paths in the checkout."""
    model: ModelArtifact | None = field(default=None)
    """The model that was put in, if any."""


def vouched_image(
    image: pulumi.Input[str], office: "Office | None", recipe: Recipe | None = None
) -> pulumi.Output[str]:
    """Return an image by digest once it is vouched for; at once where the stack names no keys.

    With a `recipe` the stack built it, and signs it if it has a key. The output fails with pulumi.RunError where nobody trusted signed it.
    """
    found = pulumi.Output.from_input(image)
    if office is None or pulumi.runtime.is_dry_run():
        return found
    arguments = pulumi.Output.from_input(dict(recipe.arguments) if recipe else {})

    async def vouch(both: tuple[str, Mapping[str, str]]) -> str:
        await asyncio.to_thread(_vouch, office, both[0], recipe, both[1])
        return both[0]

    return pulumi.Output.all(found, arguments).apply(lambda both: vouch((both[0], both[1])))


def _vouch(office: "Office", image: str, recipe: Recipe | None, arguments: Mapping[str, str]) -> None:
    from trust import TrustError

    try:
        if recipe and office.key:
            office.sign(image)
            office.attest(image, build_of(recipe, arguments))
        office.verify(image)
    except TrustError as error:
        raise pulumi.RunError(f"an image is not vouched for: {error}") from error


def build_of(recipe: Recipe, arguments: Mapping[str, str]) -> "Build":
    """Return how an image was built, once its arguments are known."""
    from notary import Build, materials_of

    return Build(
        builder=f"urn:tf-serving-platform:builder:{recipe.builder or 'default'}",
        parameters={"dockerfile": recipe.dockerfile, **arguments},
        materials=(
            *materials_of(recipe.checkout, recipe.locks),
            *(_image(text) for text in arguments.values() if "@sha256:" in text),
            *(_model(recipe.model) if recipe.model else ()),
        ),
        versions={"pulumi-docker-build": importlib.metadata.version("pulumi-docker-build")},
    )


def _image(reference: str) -> "Material":
    from notary import Material

    name, _, digest = reference.partition("@sha256:")
    return Material(name=name, digest={"sha256": digest})


def _model(artifact: ModelArtifact) -> tuple["Material", "Material"]:
    from notary import Material

    source = artifact.manifest.source
    return (
        Material(
            name=f"model {artifact.name} version {artifact.version}",
            digest={"sha256": artifact.manifest.identity.removeprefix("sha256:")},
        ),
        Material(
            name=f"{source.kind} {source.name}", digest={"sha256": source.digest.removeprefix("sha256:")}
        ),
    )
