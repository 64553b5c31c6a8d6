"""Values that only a cluster, a registry or Python itself would have refused: each is a sentence, before anything changes."""

from typing import Any

import pulumi
import pytest

from tests.components import examples

VALUES: dict[str, tuple[dict[str, Any], str]] = {
    "list for a boolean": ({"server": {"console": []}}, "server.console must be true or false, got []"),
    "object for a boolean": (
        {"model": {"allowBreaking": {"yes": 1}}},
        "model.allowBreaking must be true or false, got {'yes': 1}",
    ),
    "a number that no computer holds": (
        {"prices": {"gpuHourMicros": 10**400}},
        "prices.gpuHourMicros must be at most 1000000000000",
    ),
    "digits without end": ({"server": {"replicas": "9" * 5_000}}, "server.replicas must be a whole number"),
    "a path with a null byte": (
        {"images": {"pipConfig": "pip\0.conf"}},
        "images.pipConfig must be the path of a readable text file",
    ),
    "a name that is no text": ({"server": {"settings": {1: 2}}}, "unknown key server.settings.1"),
    "an empty registry": ({"images": {"registry": ""}}, "images.registry must be a text that is not empty"),
    "an empty namespace": (
        {"cluster": {"namespace": ""}},
        "cluster.namespace must be a text that is not empty",
    ),
    "an empty resource": (
        {"gpu": {"count": 1, "resource": ""}},
        "gpu.resource must be a text that is not empty",
    ),
    "a namespace that is none, in a list": (
        {"exposure": {"clientNamespaces": ["shop", "The Shop"]}},
        "exposure.clientNamespaces must be a list, each a DNS label: lower-case letters, digits and dashes, at most 63, got 'The Shop'",
    ),
    "a secret that is none, in a list": (
        {"cluster": {"imagePullSecrets": [""]}},
        "cluster.imagePullSecrets must be a list, each the name of an object",
    ),
    "a GPU as its maker calls it": (
        {"gpu": {"count": 1, "product": "NVIDIA A100-SXM4-40GB"}},
        "gpu.product must be a label's value such as `NVIDIA-A100-SXM4-40GB`, without spaces, got 'NVIDIA A100-SXM4-40GB'",
    ),
    "a label that is a number": (
        {"observability": {"labels": {"release": 1}}},
        "observability.labels.release must be the value of a label",
    ),
    "a label without a key": (
        {"observability": {"labels": {"": "x"}}},
        "observability.labels has the key '', which no label can have",
    ),
    "an override of no kind": (
        {"overrides": {"objects": {"Deploymnet": {"spec": {}}}}},
        "unknown kind overrides.objects.Deploymnet; did you mean Deployment?",
    ),
    "an override that is no object": (
        {"overrides": {"objects": {"Deployment": {"spec": []}}}},
        "overrides.objects.Deployment.spec must be an object of fields, got []",
    ),
    "an override of the kind": (
        {"overrides": {"objects": {"Deployment": {"kind": "StatefulSet"}}}},
        "overrides.objects.Deployment sets kind, which makes another object of it",
    ),
    "an override of what pods are found by": (
        {
            "overrides": {
                "objects": {
                    "Deployment": {
                        "spec": {"template": {"metadata": {"labels": {"app.kubernetes.io/name": "x"}}}}
                    }
                }
            }
        },
        "overrides.objects.Deployment sets the label app.kubernetes.io/name, which Services, budgets and policies find pods by",
    ),
    "a model that is called as the policy": (
        {"models": {"deny-all": {}}},
        "model deny-all: its Deployment would be called deny-all, as the policy that closes the namespace is",
    ),
    "a model that is called as a console": (
        {"models": {"a": {"server": {"console": True, "consoleNodePort": 30_853}}, "a-console": {}}},
        "model a-console: its Deployment would be called a-console, as the console of model a is",
    ),
    "names that differ in case alone": (
        {"models": {"MNIST": {}, "mnist": {}}},
        "models MNIST and mnist would both push models/mnist",
    ),
}


@pytest.mark.parametrize(("sections", "message"), VALUES.values(), ids=VALUES.keys())
def test_what_only_a_cluster_would_refuse_is_one_sentence_before(sections: dict[str, Any], message: str):
    with pytest.raises(pulumi.RunError) as refused:
        examples.config(**sections)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


OF_ONE: dict[str, tuple[dict[str, Any], str]] = {
    "out of range": (
        {"b": {"gpu": {"count": -1}}},
        "models.b: gpu.count must be at least 0, got -1; set it with `pulumi config set --path 'models.b.gpu.count' VALUE`",
    ),
    "a contradiction": (
        {"b": {"gpu": {"count": 1, "resource": "nvidia.com/gpu.shared"}}},
        "models.b: gpu.memoryPercent must be 1 to 100 for the shared resource",
    ),
    "a name with dots": (
        {"b.2": {"rollout": {"history": 0}}},
        "models.b.2: rollout.history must be at least 1, got 0; set it with `pulumi config set --path 'models[\"b.2\"].rollout.history' VALUE`",
    ),
    "a canary": ({"b": {"canary": {"phase": "aborted"}}}, "models.b: canary.phase is aborted"),
    "a mistake that has the name already": (
        {"b": {"server": {"replicas": "two"}}},
        "models.b.server.replicas must be a whole number, got 'two'; set it with `pulumi config set --path models.b.server.replicas VALUE`",
    ),
}


@pytest.mark.parametrize(("models", "message"), OF_ONE.values(), ids=OF_ONE.keys())
def test_of_several_models_the_one_with_the_mistake_is_named(models: dict[str, Any], message: str):
    with pytest.raises(pulumi.RunError) as refused:
        examples.config(models={"a": {}, **models})
    assert str(refused.value).startswith(message)
