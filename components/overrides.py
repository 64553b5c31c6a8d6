"""The way out where no key says what a cluster needs: fields of objects, merged into what the components declare.

A Pulumi transform sees every Kubernetes object of the platform before the engine does. Objects merge key by key; lists whose items have
names (containers, volumes, environment variables) merge item by item, as `kubectl patch` does; anything else is replaced. Names and
selectors stay out of it: changing them replaces a Deployment, which is an outage.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi

from components.errors import ConfigError

KINDS: Final = (
    "ConfigMap",
    "Deployment",
    "GRPCRoute",
    "HTTPRoute",
    "HorizontalPodAutoscaler",
    "Ingress",
    "Namespace",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "PodMonitor",
    "PrometheusRule",
    "ResourceClaimTemplate",
    "ResourceQuota",
    "ScaledObject",
    "Service",
    "ServiceAccount",
)
"""Every kind of object that a stack may declare."""
_FIXED: Final = (
    ("metadata", "name"),
    ("metadata", "namespace"),
    ("spec", "selector"),
)
_OWN_LABELS: Final = ("app.kubernetes.io/", "tf-serving-platform/")


def check_overrides(objects: Mapping[str, Any]) -> None:
    """Raise ConfigError for what is no object's fields, or must not move."""
    for kind, fields in objects.items():
        if not isinstance(fields, Mapping):
            raise ConfigError(
                f"overrides.objects.{kind} must be an object of fields, got {fields!r}; write the fields as they stand in a manifest"
            )
        _check_whole(kind, fields)
        _check_labels(kind, fields)
        for section, field in _FIXED:
            inside = fields.get(section)
            if isinstance(inside, Mapping) and field in inside:
                raise ConfigError(
                    f"overrides.objects.{kind} sets {section}.{field}, which other objects refer to and which cannot change in place; leave "
                    "it out"
                )


def _check_whole(kind: str, fields: Mapping[str, Any]) -> None:
    for section in ("metadata", "spec"):
        inside = fields.get(section, {})
        if not isinstance(inside, Mapping):
            raise ConfigError(
                f"overrides.objects.{kind}.{section} must be an object of fields, got {inside!r}; write only the fields that differ"
            )
    for name in ("apiVersion", "kind"):
        if name in fields:
            raise ConfigError(
                f"overrides.objects.{kind} sets {name}, which makes another object of it; leave it out"
            )


def _check_labels(kind: str, fields: Any) -> None:  # noqa: ANN401 - fields of manifests are plain data
    if isinstance(fields, Sequence) and not isinstance(fields, str):
        for each in fields:
            _check_labels(kind, each)
    if not isinstance(fields, Mapping):
        return
    for name, value in fields.items():
        if name == "labels" and isinstance(value, Mapping):
            taken = sorted(str(each) for each in value if str(each).startswith(_OWN_LABELS))
            if taken:
                raise ConfigError(
                    f"overrides.objects.{kind} sets the label {taken[0]}, which Services, budgets and policies find pods by; choose another "
                    "label"
                )
        _check_labels(kind, value)


def overriding(objects: Mapping[str, Any]) -> pulumi.ResourceTransform:
    """Return the transform that merges `objects`, fields by kind, into Kubernetes objects."""

    def transform(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        kind = args.type_.rpartition(":")[2]
        if not args.type_.startswith("kubernetes:") or kind not in objects:
            return None
        return pulumi.ResourceTransformResult(props=merged(args.props, objects[kind]), opts=args.opts)

    return transform


def merged(base: Any, over: Any) -> Any:  # noqa: ANN401 - fields of manifests are plain data
    """Return `base` with `over` on top; neither is changed."""
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        return {
            **base,
            **{key: merged(base[key], value) if key in base else value for key, value in over.items()},
        }
    if _has_names(base) and _has_names(over):
        return _merged_by_name(base, over)
    return over


def _merged_by_name(
    base: Sequence[Mapping[str, Any]], over: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    added = {each["name"]: each for each in over}
    known = [merged(each, added.pop(each["name"])) if each["name"] in added else each for each in base]
    return [*known, *added.values()]


def _has_names(value: object) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and bool(value)
        and all(isinstance(each, Mapping) and "name" in each for each in value)
    )
