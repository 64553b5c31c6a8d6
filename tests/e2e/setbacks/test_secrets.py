"""What is planted in a build secret is found nowhere that an operator, a state or a pod shows (F29)."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import kubectl, run
from tests.e2e.setbacks.conftest import NAMESPACE
from tests.e2e.settings import changed, preview, up

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

CANARY = "canary-7f3a91-planted"


def test_a_build_secret_is_in_no_state_no_output_and_no_object(stack: str, tmp_path: Path) -> None:
    settings = tmp_path / "pip.conf"
    settings.write_text(f"[global]\n# {CANARY}\n")

    def plant(sections: dict[str, Any]) -> None:
        sections["images"]["pipConfig"] = str(settings)

    with changed(plant, stack):
        looked, done = preview(stack), up(stack)
        state = run("bin/pulumi", "stack", "export", "--stack", stack).stdout
        events = run("bin/pulumi", "preview", "--json", "--diff", "--stack", stack).stdout
    objects = json.dumps(kubectl("get", "all,configmaps,secrets,events", namespace=NAMESPACE))
    shown = {
        "preview": looked.stdout + looked.stderr,
        "up": done.stdout + done.stderr,
        "state": state,
        "plan": events,
        "objects": objects,
    }
    assert [name for name, text in shown.items() if CANARY in text] == []
