"""From what Pulumi's policy SDK hands a rule to plain data.

The SDK's mappings raise when a value is read that is not known before the update, which would skip the whole rule; here that one value
becomes UNKNOWN, and the rest of the object is judged.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pulumi_policy import PolicyResource, PolicyResourceOptions, ResourceValidationArgs
from pulumi_policy.proxy import UnknownValueError

from policy.rule import UNKNOWN, Resource


def resource(given: ResourceValidationArgs | PolicyResource) -> Resource:
    """Return the resource that a rule of the SDK is asked about."""
    options: PolicyResourceOptions = given.opts
    return Resource(
        type=given.resource_type,
        name=given.name,
        props=plain(given.props),
        urn=given.urn,
        is_protected=bool(options.protect),
        ignored_changes=tuple(options.ignore_changes or ()),
    )


def plain(value: object) -> Any:  # noqa: ANN401 - plain data of any shape
    """Return dicts, lists and scalars, with UNKNOWN where a value is not known."""
    if isinstance(value, Mapping):
        return {key: _read(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_read(value, index) for index in range(len(value))]
    return value


def _read(container: Any, key: str | int) -> Any:  # noqa: ANN401 - either of the SDK's two containers
    try:
        return plain(container[key])
    except UnknownValueError:
        return UNKNOWN
