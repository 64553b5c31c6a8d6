"""What ran before: kept in a stack's outputs, so that the way back needs neither a builder nor a registry's memory.

An update that fails leaves the outputs as they were, and so what ran before is then what they say. An update that changes no image
changes nothing here either: two equal updates export the same.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import pulumi

_KEPT: Final = ("model_version", "model_digest", "image")


def previous(
    deployed: pulumi.Input[Any], model: str, image: pulumi.Input[str], digest: str
) -> pulumi.Output[Any]:
    """Return what a model ran before, from what the stack's last update exported of each of its models, by name."""
    return pulumi.Output.all(deployed, image).apply(
        lambda both: predecessor((both[0] or {}).get(model, {}), image=both[1], digest=digest)
    )


def once_run(image: pulumi.Input[str], deployments: Iterable[pulumi.Input[str]]) -> pulumi.Output[str]:
    """Return the image once the pods that run it are ready: what a stack exports must be what runs, also after an update that failed.

    Pulumi writes a stack's outputs as soon as all of them are known, and does not wait for a Deployment that none of them depends on.
    """
    return pulumi.Output.all(image, *deployments).apply(lambda known: str(known[0]))


def predecessor(deployed: Mapping[str, Any], *, image: str, digest: str) -> dict[str, Any] | None:
    """Return version, digest and image of what one model ran before the model `digest` in `image`; None where nothing else ever did.

    `deployed` is what the stack's last update exported of the model. The image alone would not tell: a version that pods fetch changes
    none.
    """
    if not deployed.get("image"):
        return None
    if (deployed["image"], deployed.get("model_digest")) != (image, digest):
        return {key: deployed.get(key) for key in _KEPT}
    former: dict[str, Any] | None = deployed.get("previous")
    return former
