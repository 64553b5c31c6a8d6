"""The road of `bin/up`, walked once for all tests here: real CLI, real cluster, real image, real model."""

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]

Run = Callable[..., subprocess.CompletedProcess[str]]


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


@pytest.fixture(scope="session")
def road() -> dict[str, Any]:
    """Walk the road and return what `bin/up --json` says at its end."""
    finished = run("bin/up", "--json", timeout_seconds=4500)
    return json.loads(finished.stdout.splitlines()[-1])


@pytest.fixture(scope="session")
def outputs(road: dict[str, Any]) -> dict[str, Any]:
    """Return the stack's outputs, once the road has been walked."""
    assert road["error_rate"] <= 11
    return json.loads(run("bin/pulumi", "stack", "output", "--json", "--stack", "local").stdout)


@pytest.fixture(scope="session")
def images_and_labels(road: dict[str, Any]) -> tuple[Sequence[Sequence[float]], Sequence[int]]:
    """Return the 1000 held-out images, float32[1000, 784] in 0..1, and their digits."""
    import numpy as np

    assert road
    with np.load(ROOT / "build/mnist/heldout.npz", allow_pickle=False) as held_out:
        return held_out["images"], held_out["labels"]
