"""The escape hatch: merged as `kubectl patch` would, into objects of Kubernetes alone, and never into what others refer to."""

from typing import Any

import pulumi
import pytest

from components.overrides import merged, overriding
from tests.components import examples


@pytest.mark.parametrize(
    ("base", "over", "expected"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 9}}, {"a": {"b": 9, "c": 2}}),
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": 1}, {"a": {"b": 2}}, {"a": {"b": 2}}),
        (
            {"containers": [{"name": "server", "image": "x", "env": [{"name": "A", "value": "1"}]}]},
            {"containers": [{"name": "server", "env": [{"name": "B", "value": "2"}]}, {"name": "agent"}]},
            {
                "containers": [
                    {
                        "name": "server",
                        "image": "x",
                        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                    },
                    {"name": "agent"},
                ]
            },
        ),
    ],
    ids=["deep", "new key", "plain list", "other type", "named items"],
)
def test_fields_merge_key_by_key_and_lists_by_name(base: Any, over: Any, expected: Any):
    before = repr(base)
    assert merged(base, over) == expected
    assert repr(base) == before


def transformed(kind: str) -> pulumi.ResourceTransformResult | None:
    transform = overriding({"Deployment": {"spec": {"paused": True}}})
    args = pulumi.ResourceTransformArgs(
        custom=True,
        type_=kind,
        name="x",
        props={"spec": {"replicas": 1}},
        opts=pulumi.ResourceOptions(protect=True),
    )
    result = transform(args)
    assert result is None or isinstance(result, pulumi.ResourceTransformResult)
    return result


def test_only_kubernetes_objects_of_the_kind_are_changed_and_their_options_stay():
    changed = transformed("kubernetes:apps/v1:Deployment")
    assert changed is not None
    assert changed.props == {"spec": {"replicas": 1, "paused": True}}
    assert changed.opts.protect is True
    for other in ("kubernetes:core/v1:Service", "pulumi:providers:kubernetes", "other:apps:Deployment"):
        assert transformed(other) is None


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ({"Deployment": "paused"}, "overrides.objects.Deployment must be an object of fields, got 'paused'"),
        ({"Deployment": {"spec": {"selector": {}}}}, "overrides.objects.Deployment sets spec.selector"),
        ({"Service": {"metadata": {"name": "x"}}}, "overrides.objects.Service sets metadata.name"),
        ({"Service": {"metadata": {"namespace": "x"}}}, "overrides.objects.Service sets metadata.namespace"),
    ],
    ids=["no fields", "selector", "name", "namespace"],
)
def test_what_must_not_move_is_refused(objects: dict[str, Any], message: str):
    with pytest.raises(pulumi.RunError) as refused:
        examples.config(overrides={"objects": objects})
    assert message in str(refused.value)
