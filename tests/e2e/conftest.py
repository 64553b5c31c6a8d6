"""The road of `bin/up`, walked once for all tests on the cluster: real CLI, real cluster, real image, real model."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.docs.pages import CLUSTER, reading
from tests.e2e.commands import ROOT, run


@pytest.fixture(scope="session")
def road() -> dict[str, Any]:
    """Walk the road and return what `bin/up --json` says at its end."""
    with reading("README.md#Two commands", needs=(CLUSTER,), replace={"bin/up": "bin/up --json"}) as page:
        said: dict[str, Any] = json.loads(page.next().splitlines()[-1])
    return said


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
