"""Why a rollout failed: the cluster's reason, once, in a sentence."""

import pulumi
import pytest

from components import diagnosis
from components.config import ClusterConfig
from tests.components.test_platform import deploy

INSUFFICIENT = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."


def pod(name: str, *, scheduled: str, message: str = "") -> dict:
    condition = {"type": "PodScheduled", "status": scheduled, "message": message}
    return {"kind": "Pod", "metadata": {"name": name}, "status": {"conditions": [condition]}}


def replica_set(message: str) -> dict:
    condition = {"type": "ReplicaFailure", "status": "True", "message": message}
    return {"kind": "ReplicaSet", "metadata": {"name": "mnist-1"}, "status": {"conditions": [condition]}}


def test_a_pod_that_no_node_can_take_is_named_with_what_is_missing():
    assert diagnosis.reasons([pod("mnist-1-a", scheduled="False", message=INSUFFICIENT)]) == [
        f"pod mnist-1-a is Pending, no node can take it: {INSUFFICIENT}"
    ]


def test_a_refused_pod_is_named_with_the_rule_that_refused_it():
    (sentence,) = diagnosis.reasons([replica_set('pods "mnist-1-b" is forbidden: exceeded quota')])
    assert sentence == 'no pod of mnist-1 may be created: pods "mnist-1-b" is forbidden: exceeded quota'


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ({"lastState": {"terminated": {"exitCode": 1, "message": "another model\n"}}}, "1: another model"),
        ({"state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}, "137: OOMKilled"),
    ],
    ids=["started again", "ended without a word"],
)
def test_a_pod_that_waits_for_a_failed_fetch_says_how_that_ended(state, sentence):
    waits = pod("mnist-1-a", scheduled="True")
    waits["status"]["initContainerStatuses"] = [{"name": "fetch", **state}]
    assert diagnosis.reasons([waits]) == [f"pod mnist-1-a waits for fetch, which ended with {sentence}"]


def test_a_fetch_that_ended_well_is_not_mentioned():
    fetched = pod("mnist-1-a", scheduled="True")
    fetched["status"]["initContainerStatuses"] = [{"name": "fetch", "state": {"terminated": {"exitCode": 0}}}]
    assert diagnosis.reasons([fetched]) == []


@pytest.mark.parametrize(
    "item", [pod("a", scheduled="True"), {"kind": "Pod", "metadata": {"name": "new"}}], ids=["placed", "new"]
)
def test_a_pod_that_has_a_place_is_not_mentioned(item):
    assert diagnosis.reasons([item]) == []


def test_the_question_is_put_to_the_stacks_own_cluster():
    deployment = deploy().one("Deployment").inputs
    words = diagnosis.question(deployment, ClusterConfig(context="prod", kubeconfig="clusters/prod.yaml"))
    assert words[:7] == [
        "kubectl",
        "--kubeconfig",
        "clusters/prod.yaml",
        "--context",
        "prod",
        "--namespace",
        "tf-serving",
    ]
    assert "app.kubernetes.io/instance=mnist,app.kubernetes.io/name=tf-serving" in words


def test_without_kubectl_the_command_to_type_is_printed(monkeypatch):
    said: list[str] = []
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(pulumi.log, "error", said.append)
    program = deploy()
    failure = pulumi.ErrorHookArgs(
        urn="",
        id="",
        name="",
        type="",
        new_inputs=program.one("Deployment").inputs,
        failed_operation="create",
    )
    assert program.hooks["why-not-ready"].callback(failure) is False
    assert "kubectl --namespace tf-serving describe pods,replicasets --selector" in said[0]
    assert "json" not in said[0]


def test_every_deployment_is_explained_when_it_fails():
    assert "why-not-ready" in deploy().hooks
