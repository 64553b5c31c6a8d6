"""`bin/status` on the real cluster: all is well, and when it is not, it says what to do."""

import json
from typing import Any

import pytest

from tests.e2e.commands import run
from tests.e2e.settings import another_stack, up

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(5000)]


def status(stack: str, *, expected: int) -> dict[str, Any]:
    finished = run("bin/status", "--stack", stack, "--json", check=False)
    assert finished.returncode == expected, finished.stdout + finished.stderr
    report: dict[str, Any] = json.loads(finished.stdout)
    return report


def test_a_stack_that_serves_is_well_and_shows_its_figures(outputs: dict[str, Any]) -> None:
    report = status("local", expected=0)
    (model,) = report["models"]
    assert model["digest"] == model["served_digest"] == outputs["model_digest"]
    assert model["image"] == outputs["image"]
    assert model["ready_pods"] == model["wanted_pods"] >= 1
    assert all(pod["is_ready"] for pod in report["pods"] if pod["phase"] != "Terminating")
    assert report["autoscalers"][0]["max_pods"] >= report["autoscalers"][0]["pods"]


def test_the_screen_says_it_in_words(outputs: dict[str, Any]) -> None:
    page = run("bin/status").stdout
    assert "All is well." in page
    assert outputs["model_digest"] in "".join(page.split())


def test_a_pod_without_a_node_is_named_with_its_reason_and_the_remedy(outputs: dict[str, Any]) -> None:
    assert outputs

    def ask_for_many_gpus(sections: dict[str, Any]) -> None:
        sections["gpu"] = {"count": 99}
        sections["rollout"] = {"pullSeconds": 5}
        sections["model"]["loadSeconds"] = 5

    with another_stack("greedy", ask_for_many_gpus) as stack:
        up(stack, check=False)
        finished = run(
            "bin/cluster", "kubectl", "--namespace", f"tf-serving-{stack}", "get", "pods", "--no-headers"
        )
        assert "Pending" in finished.stdout
        told = run("bin/status", "--stack", stack, check=False)
        assert told.returncode == 3
        assert "Insufficient nvidia.com/gpu" in told.stdout
        assert "lower gpu.count" in told.stdout
