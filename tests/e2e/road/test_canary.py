"""A version on trial beside the one that serves, promoted and taken back: one key at a time, no build, no lost request."""

import json
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import kubectl, run
from tests.e2e.questions import Questions
from tests.e2e.settings import another_stack, changed, up

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

NAMESPACE = "tf-serving-canary"
STABLE, CANARY = "1000", "1200"
QUESTIONS = 40


def test_a_canary_takes_its_share_is_promoted_and_is_taken_back(
    outputs: dict[str, Any], images_and_labels: Any, tmp_path: Path
) -> None:
    assert outputs
    newer = tmp_path / "mnist"
    run(sys.executable, "examples/mnist/train.py", f"--output-dir={newer}", f"--steps={CANARY}")

    def begin(sections: dict[str, Any]) -> None:
        sections["autoscaling"] = {"enabled": False}
        sections["model"]["loadSeconds"] = 30
        sections["canary"] = {"source": str(newer), "weightPercent": 50}

    with another_stack("canary", begin) as stack:
        up(stack)
        url, uid = address(), deployment_uid()
        body = json.dumps({"instances": images_and_labels[0][:1].tolist()}).encode()
        assert versions(url) == {STABLE, CANARY}
        with Questions(f"{url}/v1/models/mnist:predict", body) as asked:
            for phase, serving in (("promoted", CANARY), ("aborted", STABLE)):
                with changed(in_phase(phase), stack):
                    assert "docker-build" not in up(stack).stdout
                assert versions(url) == {serving}
                assert deployment_uid() == uid
        assert asked.answered > 50
        assert asked.failures == []


def in_phase(phase: str) -> Any:
    def change(sections: dict[str, Any]) -> None:
        sections["canary"]["phase"] = phase

    return change


def address() -> str:
    return f"http://{kubectl('get', 'service', 'mnist', namespace=NAMESPACE)['spec']['clusterIP']}:8501"


def deployment_uid() -> str:
    return str(kubectl("get", "deployment", "mnist", namespace=NAMESPACE)["metadata"]["uid"])


def versions(url: str) -> set[str]:
    """Return the versions that answer, each time on a new connection."""
    found = set()
    for _ in range(QUESTIONS):
        with urllib.request.urlopen(f"{url}/v1/models/mnist", timeout=10) as answer:
            found |= {each["version"] for each in json.load(answer)["model_version_status"]}
    return found
