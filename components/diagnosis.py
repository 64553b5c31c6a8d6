"""Why a rollout failed, in the cluster's own words: what Pulumi's provider does not pass on.

The provider prints why a container does not start, but not why a pod has no node (too few GPUs, a taint), was never created (a quota, an
admission rule), or waits for a container before it that fails (a fetch). So when a Deployment fails, its pods and ReplicaSets are asked.
This runs after a failure only, through `kubectl` because that knows every way to log in to a cluster; where there is none, the command
to type is printed instead.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pulumi

from components.config import ClusterConfig
from components.kubectl import ask, kubectl_words


def failure_hook(cluster: ClusterConfig) -> pulumi.ErrorHook:
    """Return the hook that explains a failed Deployment of this cluster; it never retries."""

    def explain(failure: pulumi.ErrorHookArgs) -> bool:
        for sentence in _explanations(failure.new_inputs or {}, cluster):
            pulumi.log.error(sentence)
        return False

    return pulumi.ErrorHook("why-not-ready", explain)


def reasons(objects: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one sentence for each pod without a node or with a failed init container, and each ReplicaSet that may not create pods."""
    found = [
        sentence for each in objects for kind in (_reasons_of, _failures_before) for sentence in kind(each)
    ]
    return list(dict.fromkeys(found))


def _explanations(deployment: Mapping[str, Any], cluster: ClusterConfig) -> list[str]:
    words = question(deployment, cluster)
    try:
        return reasons(json.loads(ask(words).stdout)["items"])
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError):
        return [f"the cluster's reason could not be read; see `{' '.join(_to_read_by_hand(words))}`"]


def question(deployment: Mapping[str, Any], cluster: ClusterConfig) -> list[str]:
    """Return the command that reads the pods and ReplicaSets of a Deployment's inputs."""
    labels = deployment["spec"]["selector"]["matchLabels"]
    selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    words = ("get", "pods,replicasets", "--selector", selector, "--output", "json")
    return kubectl_words(cluster, *words, namespace=deployment["metadata"]["namespace"])


def _to_read_by_hand(words: Sequence[str]) -> list[str]:
    return ["describe" if word == "get" else word for word in words[:-2]]


def _reasons_of(item: Mapping[str, Any]) -> Iterator[str]:
    name = item["metadata"]["name"]
    for condition in item.get("status", {}).get("conditions", []):
        match item["kind"], condition["type"], condition["status"]:
            case "Pod", "PodScheduled", "False":
                yield f"pod {name} is Pending, no node can take it: {condition.get('message', '')}"
            case "ReplicaSet", "ReplicaFailure", "True":
                yield f"no pod of {name} may be created: {condition.get('message', '')}"


def _failures_before(item: Mapping[str, Any]) -> Iterator[str]:
    name = item["metadata"]["name"]
    for container in item.get("status", {}).get("initContainerStatuses", []):
        for state in (container.get("state", {}), container.get("lastState", {})):
            ended = state.get("terminated", {})
            if ended.get("exitCode"):
                said = ended.get("message", "").strip() or ended.get("reason", "")
                yield f"pod {name} waits for {container['name']}, which ended with {ended['exitCode']}: {said}"
