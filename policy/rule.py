"""A rule, and what it is asked about: a resource as plain data.

Before an update some values are not known yet (an image's digest before it is built): they are `UNKNOWN`. A rule lets them pass, because
the engine asks again in the update, with the value, before the object is created.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final


class Unknown:
    """The type of `UNKNOWN`."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of a stack, as it would be sent to its provider."""

    type: str
    """Such as `kubernetes:apps/v1:Deployment`."""
    name: str
    """Its name in the program."""
    props: Mapping[str, Any]
    """Its inputs; values may be UNKNOWN."""
    urn: str = ""
    """Its name in the whole stack, `urn:pulumi:STACK::PROJECT::…`."""
    is_protected: bool = False
    ignored_changes: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The last part of the type."""
        return self.type.rpartition(":")[2]

    @property
    def stack(self) -> str:
        """The stack that it belongs to."""
        return self.urn.removeprefix("urn:pulumi:").partition("::")[0]

    @property
    def label(self) -> str:
        """How a message names it: kind and, where known, its name in the cluster."""
        name = at(self.props, "metadata", "name")
        return f"{self.kind} {name if isinstance(name, str) else self.name}"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule that one resource breaks or keeps by itself."""

    name: str
    description: str
    """What is asked, and why."""
    check: Callable[[Resource], Iterator[str]]
    """Yields a message for each breach."""
    is_on_request: bool = False
    """Whether it judges only where a configuration of the pack switches it on."""


@dataclass(frozen=True, kw_only=True)
class KeyedRule:
    """A rule that judges one resource by public keys, where a configuration of the pack switches it on and names them."""

    name: str
    description: str
    check: Callable[[Resource, str], Iterator[str]]
    """Yields a message for each breach; the keys are in PEM."""


@dataclass(frozen=True, kw_only=True)
class StackRule:
    """A rule about how the resources of a stack stand to one another."""

    name: str
    description: str
    check: Callable[[Sequence[Resource]], Iterator[tuple[Resource, str]]]
    """Yields the resource to blame and a message for each breach."""


def at(value: object, *path: str) -> Any:  # noqa: ANN401 - plain data of any shape
    """Return what stands at `path`; None where nothing does, UNKNOWN where that is not known yet."""
    for key in path:
        if value is UNKNOWN:
            return UNKNOWN
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def items(value: object) -> Sequence[Any]:
    """Return the entries of a list; none where it is absent or not known yet."""
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def is_known(value: object) -> bool:
    """Say whether a value is there to be judged."""
    return value is not UNKNOWN


def match_labels(value: object) -> Mapping[str, Any]:
    """Return the labels of a selector or of metadata; none where they are absent or not known yet."""
    return value if isinstance(value, Mapping) else {}
