"""A version on trial beside the one that serves, promoted and taken back: by the commands of the tutorial: no build, no lost request."""

import json
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import CLUSTER, reading
from tests.e2e.commands import kubectl, run
from tests.e2e.questions import Questions
from tests.e2e.settings import another_stack, changed, up

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

NAMESPACE = "tf-serving-canary"
STABLE, CANARY = "1000", "1200"
QUESTIONS = 40


def test_a_canary_takes_its_share_is_judged_promoted_and_taken_back(
    outputs: dict[str, Any], images_and_labels: Any, tmp_path: Path
) -> None:
    assert outputs
    newer = tmp_path / "mnist"
    run(sys.executable, "examples/mnist/train.py", f"--output-dir={newer}", f"--steps={CANARY}")

    def begin(sections: dict[str, Any]) -> None:
        sections["autoscaling"] = {"enabled": False}
        sections["model"]["loadSeconds"] = 30
        sections["canary"] = {"source": str(newer), "weightPercent": 50}

    tutorial = reading(
        "docs/tutorials/canary.md", needs=(CLUSTER,), replace={"--stack prod": "--stack canary"}
    )
    with another_stack("canary", begin), tutorial as page:
        assert "All is well." in page.next()
        url, uid = address(), deployment_uid()
        body = json.dumps({"instances": images_and_labels[0][:1].tolist()}).encode()
        assert versions(url) == {STABLE, CANARY}
        with Questions(f"{url}/v1/models/mnist:predict", body) as asked:
            with changed(asking_for_equal_answers, "canary"):
                refused = up("canary", check=False)
            assert refused.returncode != 0
            assert "its golden requests speak against it" in refused.stdout + refused.stderr
            assert versions(url) == {STABLE, CANARY}
            for serving in (CANARY, STABLE):
                assert "docker-build" not in page.next()
                assert versions(url) == {serving}
                assert deployment_uid() == uid
        assert asked.answered > 50
        assert asked.failures == []


def asking_for_equal_answers(sections: dict[str, Any]) -> None:
    sections["canary"] |= {"phase": "promoted", "distancePermille": 1}


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
