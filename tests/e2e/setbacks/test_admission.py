"""An admission webhook that never answers: the update names it, and nothing is half-applied (F21)."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.commands import run
from tests.e2e.setbacks.conftest import NAMESPACE, deployment
from tests.e2e.setbacks.interruptions import other_timeout, request_timeout_seconds
from tests.e2e.settings import changed, up

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

NAME = "silent.webhooks.example.com"


def test_a_webhook_that_does_not_answer_is_named_and_the_pods_are_left_alone(
    healthy: str, tmp_path: Path
) -> None:
    generation = deployment()["metadata"]["generation"]
    with changed(other_timeout(7), healthy):
        with silent_webhook(tmp_path):
            said = up(healthy, check=False)
        assert said.returncode != 0
        assert f'failed calling webhook "{NAME}"' in said.stdout + said.stderr
        assert deployment()["metadata"]["generation"] == generation
        up(healthy)
        assert request_timeout_seconds() == 7


@contextmanager
def silent_webhook(folder: Path) -> Iterator[None]:
    """Ask a port that takes connections and says nothing whether Deployments of the namespace may change."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["UPDATE"]}
        webhook = {
            "name": NAME,
            "clientConfig": {"url": url},
            "rules": [rule | {"resources": ["deployments"]}],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}},
            "failurePolicy": "Fail",
            "timeoutSeconds": 1,
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }
        path = folder / "webhook.json"
        path.write_text(
            json.dumps(
                {
                    "apiVersion": "admissionregistration.k8s.io/v1",
                    "kind": "ValidatingWebhookConfiguration",
                    "metadata": {"name": "silent"},
                    "webhooks": [webhook],
                }
            )
        )
        run("bin/cluster", "kubectl", "create", "--filename", str(path))
        try:
            yield
        finally:
            run("bin/cluster", "kubectl", "delete", "validatingwebhookconfiguration", "silent")
