"""Where the facts come from: Pulumi's state, this machine's cluster, and kubectl; each asked with a time limit.

A `Read` runs one command and returns what it printed; tests hand in recorded answers.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from launch.commands import ROOT

_SECONDS: Final = 30
_KUBECTL_TIMEOUT: Final = "--request-timeout=10s"
_KINDS: Final = "deployments,replicasets,pods,horizontalpodautoscalers,services,events"
OWN_CONTEXT: Final = "tf-serving-platform"
DEFAULT_NAMESPACE: Final = "tf-serving"
"""Pulumi.yaml's default of `cluster.namespace`."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How a command ended."""

    code: int
    output: str = ""
    error: str = ""

    def json(self) -> Any:  # noqa: ANN401 - JSON
        """Return the printed JSON, or None where it is none."""
        try:
            return json.loads(self.output)
        except ValueError:
            return None

    def last_words(self) -> str:
        """Return the last line of its errors."""
        return (self.error.strip().splitlines() or ["no answer"])[-1]


Read = Callable[[Sequence[str]], Answer]


def run(words: Sequence[str]) -> Answer:
    """Run a command; one that is missing or does not end in time is an answer, too."""
    try:
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Answer(code=124, error=f"no answer within {_SECONDS} s")
    except OSError as error:
        return Answer(code=127, error=str(error))
    return Answer(code=done.returncode, output=done.stdout, error=done.stderr)


def outputs_words(stack: str) -> list[str]:
    """Return the command that prints a stack's outputs."""
    return ["bin/pulumi", "stack", "output", "--json", "--stack", stack]


def context_of(stack: str, read: Read) -> str:
    """Return the kubeconfig context that a stack's settings name; this machine's own where they name none."""
    answer = read(["bin/pulumi", "config", "get", "--path", "cluster.context", "--stack", stack])
    return answer.output.strip() if answer.code == 0 and answer.output.strip() else OWN_CONTEXT


def namespace_of(stack: str, read: Read) -> str:
    """Return the namespace that a stack's settings name, or the one that it has without."""
    answer = read(["bin/pulumi", "config", "get", "--path", "cluster.namespace", "--stack", stack])
    return answer.output.strip() if answer.code == 0 and answer.output.strip() else DEFAULT_NAMESPACE


def own_cluster_words() -> list[str]:
    """Return the command that says how this machine's cluster is."""
    return ["bin/cluster", "status", "--json"]


def objects_words(context: str | None, namespace: str) -> list[str]:
    """Return the command that prints everything of a namespace that is looked at."""
    if context is None:
        kubectl = ["bin/cluster", "kubectl"]
    else:
        kubectl = [*([] if shutil.which("kubectl") else ["bin/cluster"]), "kubectl", "--context", context]
    return [*kubectl, _KUBECTL_TIMEOUT, "--namespace", namespace, "get", _KINDS, "--output", "json"]
