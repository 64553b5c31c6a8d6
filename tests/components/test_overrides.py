"""The escape hatch: merged as `kubectl patch` would, into objects of Kubernetes alone, and never into what others refer to."""

from typing import Any

import pulumi
import pytest

from components.overrides import KINDS, merged, overriding
from tests.components import examples
from tests.components.test_platform import deploy


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


EVERYTHING: tuple[dict[str, dict[str, Any]], ...] = (
    {
        "gpu": {"count": 1, "deviceClass": "gpu.nvidia.com"},
        "quota": {"gpus": 100},
        "exposure": {"gateway": "edge/public", "host": "mnist.example.com"},
        "observability": {"podMonitor": True, "alerts": True, "dashboard": True},
    },
    {
        "exposure": {"ingressClass": "nginx", "host": "mnist.example.com"},
        "autoscaling": {"scaler": "keda", "inFlightRequests": 4, "prometheusUrl": "http://prometheus:9090"},
    },
)
"""Two stacks that declare an object of every kind between them."""


def test_the_kinds_that_may_be_overridden_are_those_that_a_stack_declares():
    declared = {
        each.kind
        for sections in EVERYTHING
        for each in deploy(**sections).resources
        if each.type.startswith("kubernetes:")
    }
    assert declared == set(KINDS)


@pytest.mark.parametrize("labels", [{"team": "vision"}, {"example.com/app.kubernetes.io": "x"}], ids=str)
def test_labels_of_ones_own_are_welcome(labels: dict[str, str]):
    fields = {"metadata": {"labels": labels}, "spec": {"template": {"metadata": {"labels": labels}}}}
    examples.config(overrides={"objects": {"Deployment": fields}})
