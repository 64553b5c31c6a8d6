"""Whose a namespace is: a stack never lands in one that was there before it.

Server-side apply creates what is missing and quietly takes over what is there, so two stacks with one namespace would share every object,
and the first to be destroyed would take the other's pods along. The namespace is made before all else in it, so the cluster is asked
once, just before that. A namespace that carries this stack's own name is one whose creation was cut off, and is taken up again; with
pods in it, it is one whose state was lost, or is in another backend.
"""

import json
import subprocess
from collections.abc import Mapping
from typing import Any, Final

import pulumi

from components import naming
from components.config import ClusterConfig
from components.kubectl import ask, kubectl_words

_AS_JSON: Final = ("--output", "json")
_WHAT_RUNS: Final = "deployments.apps,jobs.batch"


def stack_identity() -> str:
    """Return the full name of the stack that this program runs for, `organization/project/stack`."""
    return f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"


def owner_annotation() -> dict[str, str]:
    """Return the annotation of a namespace that this stack makes."""
    return {naming.STACK_ANNOTATION: stack_identity()}


def only_if_ours(cluster: ClusterConfig, *, key: str = "cluster.namespace") -> pulumi.ResourceHookBinding:
    """Return the hook that ends an update before a namespace is created that another has made. It asks nothing in a preview.

    `key` is the setting that names the namespace. The hook raises pulumi.RunError.
    """

    def before_create(creation: pulumi.ResourceHookArgs) -> None:
        metadata = (creation.new_inputs or {})["metadata"]
        name, stack = metadata["name"], metadata["annotations"][naming.STACK_ANNOTATION]
        found = _asked(
            kubectl_words(cluster, "get", "namespace", name, "--ignore-not-found", *_AS_JSON), name
        )
        if found is not None:
            check_owner(name, found, stack, key=key)
            words = kubectl_words(cluster, "get", _WHAT_RUNS, *_AS_JSON, namespace=name)
            running = _asked(words, name)
            if running is None:
                pulumi.log.warn(f"what runs in namespace {name} was not told; see `{' '.join(words)}`")
            check_state(name, running)

    return pulumi.ResourceHookBinding(before_create=[pulumi.ResourceHook("namespace-is-ours", before_create)])


def check_owner(name: str, found: Mapping[str, Any], stack: str, *, key: str = "cluster.namespace") -> None:
    """Raise pulumi.RunError unless the namespace `found` in the cluster was made for `stack`."""
    owner = found["metadata"].get("annotations", {}).get(naming.STACK_ANNOTATION)
    if owner == stack:
        return
    whose = f"belongs to the stack {owner}" if owner else "was not made by a stack of this project"
    raise pulumi.RunError(
        f'namespace "{name}" already exists and {whose}; set {key} to one that is free, or take it over on purpose with '
        f"`pulumi import kubernetes:core/v1:Namespace`"
    )


def check_state(name: str, running: Mapping[str, Any] | None) -> None:
    """Raise pulumi.RunError if anything runs in a namespace that the state of its own stack does not know.

    Taken up again, it would be held by the field manager of the lost state, and the next change would be refused as a conflict.
    """
    held = [f"{each['kind']} {each['metadata']['name']}" for each in (running or {}).get("items", [])]
    if held:
        raise pulumi.RunError(
            f'namespace "{name}" already exists and holds {", ".join(held)} of this very stack, which is not in its state: use the backend '
            f"that has it, or bring a copy of the state back (docs/operations.md says how), or delete the namespace, which ends what it "
            f"serves; where only the API server's address has changed, go back to the old one and set cluster.identifier"
        )


def _asked(words: list[str], name: str) -> Mapping[str, Any] | None:
    try:
        answer = ask(words)
    except (OSError, subprocess.TimeoutExpired) as error:
        pulumi.log.warn(
            f"whether namespace {name} is free could not be asked ({error}); see `{' '.join(words)}`"
        )
        return None
    if answer.returncode != 0 or not answer.stdout.strip():
        return None  # free, or a cluster that cannot be reached: the creation says so itself
    found: Mapping[str, Any] = json.loads(answer.stdout)
    return found
