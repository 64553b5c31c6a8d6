"""What only the real CLI can show, with no cluster, no registry and no builder: transforms that reach objects, and secrets that reach nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.policy import project
from tests.policy.project import Project

PLANTED = "planted-5e21f0c7"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return project.make(tmp_path_factory.mktemp("checkout"))


def planned(checkout: Project) -> dict[str, dict[str, Any]]:
    """Return the inputs of every resource that a preview would create, by URN."""
    asked = checkout.pulumi("preview", "--stack", "prod", "--json")
    assert asked.returncode == 0, asked.stdout + asked.stderr
    return {
        step["urn"]: step["newState"]["inputs"]
        for step in json.loads(asked.stdout)["steps"]
        if "inputs" in step["newState"]
    }


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
