"""What only the real CLI can show, with no cluster, no registry and no builder: transforms that reach objects, and secrets that reach nothing."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model_export.comparison import Comparison
from model_export.ensure import PYTHON_VARIABLE
from tests.policy import project
from tests.policy.project import ROOT, Project

PLANTED = "planted-5e21f0c7"
PUSHED = f"registry.example.com/models/mnist:1000@sha256:{'a' * 64}"
BUILT_ELSEWHERE: dict[str, dict[str, dict[str, Any]]] = {
    "the runtime": {"images": {"pushedRuntimes": {"gpu": f"registry.example.com/runtime@sha256:{'b' * 64}"}}},
    "the model on it": {"model": {"pushedImage": PUSHED}},
}
LOGGING = ("-v=11", "--logtostderr", "--logflow")
"""All that the engine, the language host and the plugins can be made to write."""
HANDED_OVER = re.compile(r"arshaling property for RPC\[")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return project.make(tmp_path_factory.mktemp("checkout"))


def states(checkout: Project) -> dict[str, dict[str, Any]]:
    """Return every resource that a preview would create, by URN."""
    asked = checkout.pulumi("preview", "--stack", "prod", "--json")
    assert asked.returncode == 0, asked.stdout + asked.stderr
    return {step["urn"]: step["newState"] for step in json.loads(asked.stdout)["steps"]}


def planned(checkout: Project) -> dict[str, dict[str, Any]]:
    """Return the inputs of every resource that a preview would create, by URN."""
    return {urn: state["inputs"] for urn, state in states(checkout).items() if "inputs" in state}


def test_an_override_reaches_every_object_of_its_kind(checkout: Project):
    pod = {"dnsPolicy": "None", "containers": [{"name": "server", "env": [{"name": "TZ", "value": "UTC"}]}]}
    fields = {"Deployment": {"spec": {"template": {"spec": pod}}}}
    checkout.write_stack("prod", overrides={"objects": fields})
    (deployment,) = (found for urn, found in planned(checkout).items() if "apps/v1:Deployment" in urn)
    spec = deployment["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert spec["dnsPolicy"] == "None"
    assert {"name": "TZ", "value": "UTC"} in container["env"]
    assert len(container["env"]) > 1
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_a_planted_secret_is_in_no_plan_no_preview_and_no_state(checkout: Project, tmp_path: Path):
    (tmp_path / "pip.conf").write_text(f"[global]\n# {PLANTED}\n", encoding="utf-8")
    (tmp_path / "ca.pem").write_text(f"{PLANTED}\n", encoding="utf-8")
    images = {"pipConfig": str(tmp_path / "pip.conf"), "caCertificates": str(tmp_path / "ca.pem")}
    checkout.write_stack("prod", images=images)
    shown = {
        words: checkout.pulumi("preview", "--stack", "prod", *words.split())
        for words in ("--diff --show-secrets=false", "--json", f"--save-plan {tmp_path}/plan.json")
    }
    texts = {words: each.stdout + each.stderr for words, each in shown.items()}
    texts |= {
        str(path): path.read_text(errors="replace")
        for path in checkout.folder.glob("state/**/*")
        if path.is_file()
    }
    texts["plan"] = (tmp_path / "plan.json").read_text()
    assert [each.returncode for each in shown.values()] == [0, 0, 0], texts
    assert [where for where, text in texts.items() if PLANTED in text] == []
    # The preview did see them: as secrets, whose content it does not show.
    assert "[secret]" in texts["--json"] or "4dabf18193072939515e22adb298388d" in texts["--json"]


@pytest.mark.parametrize("sections", BUILT_ELSEWHERE.values(), ids=BUILT_ELSEWHERE)
def test_at_the_highest_verbosity_a_build_secret_is_nowhere_where_nothing_is_built(
    checkout: Project, tmp_path: Path, sections: dict[str, dict[str, Any]]
):
    (tmp_path / "pip.conf").write_text(f"[global]\n# {PLANTED}\n", encoding="utf-8")
    images = {"pipConfig": str(tmp_path / "pip.conf"), **sections.get("images", {})}
    checkout.write_stack("prod", **{**sections, "images": images})
    logged = checkout.pulumi("preview", "--stack", "prod", *LOGGING)
    assert logged.returncode == 0, logged.stdout
    assert "RegisterResource(kubernetes:apps/v1:Deployment" in logged.stderr
    assert PLANTED not in logged.stdout + logged.stderr


def test_at_the_highest_verbosity_a_build_secret_is_only_in_what_pulumi_hands_to_the_builder(
    checkout: Project, tmp_path: Path
):
    (tmp_path / "pip.conf").write_text(f"[global]\n# {PLANTED}\n", encoding="utf-8")
    checkout.write_stack("prod", images={"pipConfig": str(tmp_path / "pip.conf")})
    logged = checkout.pulumi("preview", "--stack", "prod", *LOGGING)
    assert logged.returncode == 0, logged.stdout
    assert PLANTED not in logged.stdout
    # Both the engine and the provider write down every message between them; nothing in this project does. SECURITY.md says so.
    strange = [
        line for line in logged.stderr.splitlines() if PLANTED in line and not HANDED_OVER.search(line)
    ]
    assert strange == []


def test_an_image_that_was_pushed_before_leaves_nothing_to_build(checkout: Project):
    checkout.write_stack("prod", model={"pushedImage": PUSHED})
    found = planned(checkout)
    assert [urn for urn in found if "docker-build" in urn] == []
    (deployment,) = (inputs for urn, inputs in found.items() if "apps/v1:Deployment" in urn)
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == PUSHED


def test_routes_wait_for_the_pods_of_a_canary_that_they_lead_to(checkout: Project, tmp_path: Path):
    next_version = tmp_path / "1001"
    shutil.copytree(ROOT / "examples/mnist/published/1000", next_version)
    manifest = json.loads((next_version / "manifest.json").read_text())
    (next_version / "manifest.json").write_text(json.dumps({**manifest, "version": 1001}))
    found = Comparison(questions=3, rows=12, distance=0.0, output="s.y", agreement=1.0, faults=())
    (tmp_path / "python").write_text(f"#!/bin/sh\necho '{found.to_json()}'\n")
    (tmp_path / "python").chmod(0o755)
    checkout.write_stack(
        "prod",
        model={"repository": str(tmp_path / "models")},
        canary={"source": str(next_version)},
        exposure={"gateway": "gateways/public", "host": "mnist.example.com"},
        gpu={"available": 9},
        quota={"pods": 9, "gpus": 9},
    )
    environment = {**checkout.environment, PYTHON_VARIABLE: str(tmp_path / "python")}
    found_states = states(replace(checkout, environment=environment))
    (canary,) = (urn for urn in found_states if urn.endswith("::serving-mnist-canary-server-deployment"))
    routes = [state for urn, state in found_states.items() if urn.endswith("route")]
    assert len(routes) == 2
    assert all(canary in state["dependencies"] for state in routes)
