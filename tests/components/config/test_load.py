"""Configuration: what a stack may say, and the sentence that answers what it may not."""

from typing import Any

import pulumi
import pytest

from components.config import read_config
from tests.components import examples

SMALL = {
    "images": {"registry": "registry.example.com/team"},
    "model": {"name": "mnist", "source": "build/mnist"},
}

PUSHED = f"registry.example.com/models/mnist:7@{examples.DIGEST}"
MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown section": ({"servers": {}}, "unknown key servers; did you mean server?"),
    "unknown key": ({"server": {"replica": 2}}, "unknown key server.replica; did you mean replicas?"),
    "unknown key, nothing near": ({"gpu": {"zzz": 1}}, "unknown key gpu.zzz; known here: "),
    "path written as a name": (
        {"server.replicas": 2},
        "unknown key server.replicas; keys are paths: set it with `pulumi config set --path server.replicas VALUE`",
    ),
    "section is a number": ({"server": 3}, "server must be an object of keys, got 3"),
    "below the minimum": (
        {"server": {"replicas": 0}},
        "server.replicas must be at least 1, got 0; set it with",
    ),
    "text for a number": (
        {"server": {"replicas": "two"}},
        "server.replicas must be a whole number, got 'two'",
    ),
    "fraction": ({"gpu": {"count": 0.5}}, "gpu.count must be a whole number, got 0.5"),
    "boolean for a number": ({"gpu": {"count": True}}, "gpu.count must be a whole number, got True"),
    "number for a boolean": (
        {"autoscaling": {"enabled": 1}},
        "autoscaling.enabled must be true or false, got 1",
    ),
    "list for a text": ({"model": {"name": ["mnist"]}}, "model.name must be a text, got ['mnist']"),
    "text for a list": (
        {"model": {"outputs": "scores"}},
        "model.outputs must be a list of texts, got 'scores'",
    ),
    "quantity with a unit": (
        {"resources": {"memoryMib": "2Gi"}},
        "the unit is in the key's name: write the number alone",
    ),
    "bytes for mebibytes": (
        {"resources": {"memoryMib": 2**31}},
        "resources.memoryMib must be at most 16777216",
    ),
    "milliseconds for seconds": (
        {"server": {"requestTimeoutSeconds": 30_000}},
        "server.requestTimeoutSeconds must be at most 3600, got 30000; the unit is in the key's name",
    ),
    "not a choice": (
        {"server": {"serviceType": "nodeport"}},
        "server.serviceType must be one of ClusterIP, NodePort, LoadBalancer, got 'nodeport'",
    ),
    "not a DNS label": ({"cluster": {"namespace": "TF"}}, "cluster.namespace must be a DNS label"),
    "no registry": ({"images": None}, "images.registry is not set"),
    "no model": ({"model": None}, "model.name is not set"),
    "registry with a scheme": (
        {"images": {"registry": "https://registry.example.com"}},
        "images.registry must be a registry",
    ),
    "model name with a slash": ({"model": {"name": "a/b"}}, "model.name must be a model name"),
    "shared namespace": (
        {"cluster": {"namespace": "default"}},
        "cluster.namespace must be a namespace of the stack's own",
    ),
    "bounds crossed": (
        {"autoscaling": {"minReplicas": 4, "maxReplicas": 2}},
        "autoscaling.minReplicas must be at most autoscaling.maxReplicas (2), got 4",
    ),
    "product without a GPU": (
        {"gpu": {"product": "A100"}},
        "gpu.product is 'A100' but gpu.count is 0; set gpu.count to 1",
    ),
    "two shares": (
        {"gpu": {"count": 2, "resource": "nvidia.com/gpu.shared"}},
        "gpu.count must be 1 for the shared resource nvidia.com/gpu.shared, got 2",
    ),
    "share without a size": (
        {"gpu": {"count": 1, "resource": "nvidia.com/gpu.shared"}},
        "gpu.memoryPercent must be 1 to 100 for the shared resource nvidia.com/gpu.shared, got 0",
    ),
    "more pods than GPUs": (
        {"gpu": {"count": 2, "available": 4}, "autoscaling": {"maxReplicas": 3}},
        "autoscaling.maxReplicas is too high: 3 pods of 2 need 6 GPUs, gpu.available is 4",
    ),
    "more fixed pods than GPUs": (
        {"gpu": {"count": 1, "available": 1}, "autoscaling": {"enabled": False}, "server": {"replicas": 2}},
        "server.replicas is too high",
    ),
    "pushed image by tag": (
        {"model": {"pushedImage": "registry.example.com/models/mnist:7"}},
        "model.pushedImage must be a model image by version and digest",
    ),
    "pushed image beside a repository": (
        {"model": {"pushedImage": PUSHED}, "delivery": {"mode": "volume", "claim": "m"}},
        "model.pushedImage is set, but delivery.mode is volume",
    ),
    "pushed runtime of an unknown kind": (
        {"images": {"registry": "registry.example.com", "pushedRuntimes": {"tpu": PUSHED}}},
        "images.pushedRuntimes must be `cpu` or `gpu` with an image by digest",
    ),
    "unknown device": ({"gpu": {"count": 1, "resource": "gpu"}}, "gpu.resource must be `nvidia.com/gpu`"),
    "node port without a node port service": (
        {"server": {"restNodePort": 30_001}},
        "server.restNodePort is 30001 but server.serviceType is ClusterIP",
    ),
    "node port out of range": (
        {"server": {"serviceType": "NodePort", "restNodePort": 8501}},
        "server.restNodePort must be 0, or from 30000 to 32767, got 8501",
    ),
    "console port without a console": (
        {"server": {"consoleNodePort": 30_003}},
        "server.consoleNodePort is 30003 but server.console is false",
    ),
    "console port out of range": (
        {"server": {"console": True, "consoleNodePort": 8503}},
        "server.consoleNodePort must be 0, or from 30000 to 32767, got 8503",
    ),
    "console port of the API": (
        {
            "server": {
                "serviceType": "NodePort",
                "restNodePort": 30_001,
                "console": True,
                "consoleNodePort": 30_001,
            }
        },
        "server.consoleNodePort and server.restNodePort are both 30001",
    ),
    "the console's port by hand": (
        {"server": {"settings": {"console_port": 9000}}},
        "server.settings.console_port cannot be set here: set server.console",
    ),
    "one node port twice": (
        {"server": {"serviceType": "NodePort", "restNodePort": 30_001, "grpcNodePort": 30_001}},
        "server.grpcNodePort and server.restNodePort are both 30001",
    ),
    "one node port for two models": (
        {"server": {"serviceType": "NodePort", "restNodePort": 30_001}, "models": {"a": {}, "b": {}}},
        "models.b.server.restNodePort and models.a.server.restNodePort are both 30001",
    ),
    "base without a digest": (
        {"images": {"requireDigests": True}},
        "images.builderBase must be named by digest (images.requireDigests is true)",
    ),
    "unknown flag": (
        {"server": {"settings": {"max_batch_row": 8}}},
        "unknown key server.settings.max_batch_row; did you mean max_batch_rows?",
    ),
    "flag with its own key": (
        {"server": {"settings": {"model_name": "x"}}},
        "server.settings.model_name cannot be set here: set model.name",
    ),
    "flag out of range": (
        {"server": {"settings": {"max_batch_rows": 0}}},
        "server.settings: max_batch_rows must be at least 1",
    ),
    "flag of another type": ({"server": {"settings": {"max_batch_rows": "many"}}}, "server.settings: "),
    "missing build file": (
        {"images": {"pipConfig": "absent/pip.conf"}},
        "images.pipConfig must be the path of a readable text file, got 'absent/pip.conf'",
    ),
    "two ways in": (
        {"exposure": {"gateway": "gateways/public", "ingressClass": "nginx"}},
        "exposure.gateway and exposure.ingressClass are both set",
    ),
    "a way in without a name": ({"exposure": {"gateway": "gateways/public"}}, "exposure.host is not set"),
    "a name without a way in": (
        {"exposure": {"host": "a.example.com"}},
        "exposure.host is 'a.example.com' but nothing routes it",
    ),
    "gateway without a namespace": (
        {"exposure": {"gateway": "public"}},
        "exposure.gateway must be `namespace/name` of a Gateway",
    ),
    "two models under one host": (
        {"exposure": {"gateway": "gateways/public", "host": "a.example.com"}, "models": {"a": {}, "b": {}}},
        "models a and b share exposure.host a.example.com",
    ),
    "a model without doors in a closed namespace": (
        {"models": {"a": {}, "b": {"exposure": {"networkPolicies": False}}}},
        "exposure.networkPolicies differs between models of one namespace",
    ),
    "nothing to scale by": (
        {"autoscaling": {"cpuPercent": 0}},
        "autoscaling is enabled but measures nothing; set autoscaling.cpuPercent, inFlightRequests or",
    ),
    "keda without a prometheus": (
        {"autoscaling": {"scaler": "keda", "inFlightRequests": 4}},
        "autoscaling.prometheusUrl is not set, but KEDA asks it for requests",
    ),
    "a prometheus that nobody asks": (
        {"autoscaling": {"prometheusUrl": "http://prometheus:9090"}},
        "autoscaling.prometheusUrl is set but autoscaling.scaler is hpa",
    ),
    "a password in an address": (
        {"autoscaling": {"scaler": "keda", "prometheusUrl": "http://me:secret@prometheus:9090"}},
        "autoscaling.prometheusUrl must be an address such as `http://prometheus.monitoring:9090`, without a password",
    ),
    "a phase of nothing": (
        {"canary": {"phase": "promoted"}},
        "canary.phase is promoted but canary.source is not set",
    ),
    "unknown phase": (
        {"canary": {"source": "build/next", "phase": "promote"}},
        "canary.phase must be one of trial, promoted, aborted, got 'promote'",
    ),
    "a canary of itself": (
        {"canary": {"source": "build/mnist"}},
        "canary.source is build/mnist, which is model.source already",
    ),
    "a shadow without a gateway": (
        {"canary": {"source": "build/next", "shadowPercent": 50}},
        "canary.shadowPercent is 50, but only a Gateway copies requests",
    ),
    "a canary that is called as another model": (
        {"models": {"a": {"canary": {"source": "build/next"}}, "a-canary": {}}},
        "model a-canary is called as the canary of model a would be",
    ),
    "tensorflow serving without an image": (
        {"server": {"runtime": "tensorflow-serving"}},
        "upstream.image is not set but server.runtime is tensorflow-serving",
    ),
    "tensorflow serving by tag": (
        {"server": {"runtime": "tensorflow-serving"}, "upstream": {"image": "tensorflow/serving:2.20.0"}},
        "upstream.image must be an image by digest, `NAME:TAG@sha256:…`, got 'tensorflow/serving:2.20.0'",
    ),
    "a queue that nobody sees": (
        {**examples.UPSTREAM, "autoscaling": {"queueWaitMilliseconds": 5}},
        "autoscaling.queueWaitMilliseconds needs the API layer's own queue",
    ),
    "a console without a model": (
        {**examples.UPSTREAM, "server": {"runtime": "tensorflow-serving", "console": True}},
        "server.console needs a model in the API layer's own process",
    ),
    "an image that nothing runs": (
        {"upstream": examples.UPSTREAM["upstream"]},
        "upstream.image is set but server.runtime is built-in",
    ),
    "a port of tensorflow serving that everybody reaches": (
        {**examples.UPSTREAM, "exposure": {"networkPolicies": False}},
        "upstream.rest needs exposure.networkPolicies",
    ),
    "an upstream past its key": (
        {"server": {"settings": {"upstream_grpc": "elsewhere:8500"}}},
        "server.settings.upstream_grpc cannot be set here: set server.runtime",
    ),
    "unknown section of a model": ({"models": {"a": {"images": {}}}}, "unknown key models.a.images"),
    "unknown key of a model": (
        {"models": {"a": {"gpu": {"cout": 1}}}},
        "unknown key models.a.gpu.cout; did you mean count?",
    ),
    "model is a text": ({"models": {"a": "build/a"}}, "models.a must be an object of keys, got 'build/a'"),
}


@pytest.mark.parametrize(("sections", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_one_sentence_with_key_value_and_remedy(sections: dict[str, Any], message: str):
    raw = {
        name: {**SMALL.get(name, {}), **value} if isinstance(value, dict) else value
        for name, value in sections.items()
    }
    raw = {name: value for name, value in {**SMALL, **raw}.items() if value is not None}
    with pytest.raises(pulumi.RunError) as refused:
        read_config(raw)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("value", [3, "3", 3.0], ids=repr)
def test_a_whole_number_is_read_however_the_cli_hands_it_over(value: Any):
    (served,) = examples.config(server={"replicas": value}).served
    assert served.server.replicas == 3


@pytest.mark.parametrize(("value", "meant"), [(True, True), ("true", True), ("false", False)], ids=repr)
def test_a_boolean_is_read_however_the_cli_hands_it_over(value: Any, meant: bool):
    (served,) = examples.config(autoscaling={"enabled": value}).served
    assert served.autoscaling.enabled is meant


def test_each_of_several_models_starts_from_the_stacks_sections():
    models = {"a": {"resources": {"memoryMib": 4096}}, "b": {"model": {"source": "build/b"}}}
    a, b = examples.config(resources={"memoryMib": 2048, "cpuMillicores": 900}, models=models).served
    assert (a.model.name, a.resources.memory_mib, a.resources.cpu_millicores) == ("a", 4096, 900)
    assert (b.model.name, b.model.source, b.resources.memory_mib) == ("b", "build/b", 2048)


def test_build_files_are_read_once_and_never_shown(tmp_path):
    (tmp_path / "pip.conf").write_text("a-planted-password", encoding="utf-8")
    platform = examples.config(images={"pipConfig": str(tmp_path / "pip.conf")})
    assert platform.build_secrets == {"pip_config": "a-planted-password"}
    assert "planted" not in repr(platform)
