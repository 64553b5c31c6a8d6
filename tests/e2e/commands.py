"""The project's commands, run as a user would."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def run(
    *words: str, check: bool = True, timeout_seconds: float = 900, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run one of the project's commands as a user would, from the root."""
    finished = subprocess.run(
        words,
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=False,
    )
    if check and finished.returncode != 0:
        pytest.fail(
            f"{' '.join(words)} ended with {finished.returncode}\n{finished.stdout}\n{finished.stderr}"
        )
    return finished


def kubectl(*words: str, namespace: str | None = None) -> Any:
    """Ask the local cluster and return the JSON it answers."""
    scope = ["--namespace", namespace] if namespace else []
    return json.loads(run("bin/cluster", "kubectl", *scope, *words, "--output=json").stdout)


def deployment_generations(namespace: str) -> dict[str, int]:
    """Return how often the specification of each Deployment has changed: pods are made anew only when it does."""
    deployments = kubectl("get", "deployments", namespace=namespace)["items"]
    return {each["metadata"]["name"]: each["metadata"]["generation"] for each in deployments}
