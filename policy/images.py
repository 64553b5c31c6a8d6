"""What is asked of images beside their digest: that they stand on others by digest, and that somebody trusted signed them.

The first is asked where images are built (`docker-build:index:Image`), the second of every container, in its registry: a digest that is
not known before the update is asked about in the update, before the object is created.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from policy.objects import LOCAL_STACKS
from policy.pods import BY_DIGEST, containers_of
from policy.rule import KeyedRule, Resource, Rule, at

_BUILT: Final = "docker-build:index:Image"
_BASE: Final = re.compile(r"(.+_)?IMAGE")
"""Build arguments that choose an image: a habit of Dockerfiles, and ours."""


def _bases(resource: Resource) -> Iterator[str]:
    if resource.type != _BUILT or resource.stack in LOCAL_STACKS:
        return
    arguments = at(resource.props, "buildArgs")
    for name, value in (arguments if isinstance(arguments, Mapping) else {}).items():
        if _BASE.fullmatch(name) and _is_reference(value) and not BY_DIGEST.fullmatch(value):
            yield (
                f"Image {resource.name}: its {name} {value!r} is not named by digest; write NAME@sha256:…, or tomorrow's build "
                f"stands on something else (allowed in: {', '.join(sorted(LOCAL_STACKS))})"
            )


def _is_reference(value: Any) -> bool:  # noqa: ANN401 - plain data
    # A word alone is a stage of the Dockerfile, or `scratch`.
    return isinstance(value, str) and any(mark in value for mark in "/:@")


def _signed(resource: Resource, keys: str) -> Iterator[str]:
    for container in containers_of(resource):
        image = at(container, "image")
        if isinstance(image, str) and (breach := _breach(image, keys)):
            yield f"{resource.label}, container {at(container, 'name')}: {breach}"


@cache
def _breach(image: str, keys: str) -> str:
    """Return why nobody trusted vouches for an image; nothing where somebody does. Asked once an image: several pods run it."""
    from notary import Office  # with its cryptography: only packs that are given keys have it in memory
    from trust import TrustError

    try:
        Office.open(trusted_pem=keys).verify(image)
    except TrustError as error:
        return str(error)
    return ""


RULES: Final = (
    Rule(
        name="bases-by-digest",
        description="Images are built on images by digest, so that the same commit gives the same image.",
        check=_bases,
    ),
)
KEYED_RULES: Final = (
    KeyedRule(
        name="images-signed",
        description="Every image is signed, in cosign's format, by one of the keys that the pack was given.",
        check=_signed,
    ),
)
