"""`bin/up --context --registry`: a cluster and a registry that are there already are used as they are."""

import json
from typing import Any

import pytest

from tests.e2e.commands import ROOT, run

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1200)]

CONTEXT = "tf-serving-platform"
REGISTRY = "127.0.0.1:5000/tf-serving-platform"


def test_an_existing_cluster_gets_a_stack_of_its_own_and_answers(outputs: dict[str, Any]) -> None:
    kubeconfig = json.loads(run("bin/cluster", "status", "--json").stdout)["kubeconfig"]
    settings = ROOT / f"Pulumi.context-{CONTEXT}.yaml"
    try:
        finished = run(
            "bin/up", "--context", CONTEXT, "--registry", REGISTRY, "--json", KUBECONFIG=kubeconfig
        )
        said = json.loads(finished.stdout.splitlines()[-1])
        assert said["stack"] == f"context-{CONTEXT}"
        assert said["error_rate"] <= 11
        assert said["model_digest"] == outputs["model_digest"]
    finally:
        run("bin/down", "--context", CONTEXT, KUBECONFIG=kubeconfig)
        run("bin/pulumi", "stack", "rm", f"context-{CONTEXT}", "--yes", check=False)
        settings.unlink(missing_ok=True)
