"""The TypeScript and Go examples speak of nothing that the schema does not have: their hosts, which would say so, cannot be built here."""

import json
import re
from typing import Any

import pytest

from tests.policy.project import ROOT

SCHEMA: dict[str, Any] = json.loads((ROOT / "package" / "schema.json").read_text(encoding="utf-8"))
EXAMPLES = ROOT / "examples" / "package"


def keys() -> set[str]:
    """Every input of a component, and every key of a block."""
    inputs = (key for each in SCHEMA["resources"].values() for key in each["inputProperties"])
    blocks = (key for each in SCHEMA["types"].values() for key in each["properties"])
    return {*inputs, *blocks}


def test_typescript_names_keys_of_the_schema():
    program = (EXAMPLES / "typescript" / "index.ts").read_text(encoding="utf-8")
    used = set(re.findall(r"(\w+):", program)) - {"dependsOn"}
    assert used
    assert used <= keys()


def test_go_names_keys_of_the_schema():
    program = (EXAMPLES / "go" / "main.go").read_text(encoding="utf-8")
    used = {name[0].lower() + name[1:] for name in re.findall(r"(\w+):\s", program)}
    assert used
    assert used <= keys()


@pytest.mark.parametrize("path", ["typescript/index.ts", "go/main.go", "yaml/Pulumi.yaml"])
def test_examples_use_components_that_there_are(path: str):
    program = (EXAMPLES / path).read_text(encoding="utf-8")
    named = set(re.findall(r"(?:new tfserving\.|tfserving\.New|tf-serving:)([A-Z]\w+)", program))
    assert named == {"ServingNamespace", "ModelService"}
    assert named <= {token.rpartition(":")[2] for token in SCHEMA["resources"]}
