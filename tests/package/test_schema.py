"""The schema that other languages' SDKs are made from changes only where someone looks at the change."""

import json
from pathlib import Path
from typing import Any

import pytest
from pulumi.provider.experimental.component import ComponentProvider

from package.model_service import ModelService
from package.serving_namespace import ServingNamespace
from package.training import ModelRepository, TrainingRun
from tests.policy import project
from tests.policy.project import ROOT, Project

SNAPSHOT = ROOT / "package" / "schema.json"
COMPONENTS = [ServingNamespace, ModelService, ModelRepository, TrainingRun]
REMEDY = "if the change is meant: bin/pulumi package get-schema ./package > package/schema.json"


def snapshot() -> dict[str, object]:
    found: dict[str, object] = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    return found


def test_the_schema_is_the_one_that_was_looked_at():
    provider = ComponentProvider(COMPONENTS, "tf-serving", None, "0.1.0")
    made = json.loads(provider.schema or "{}")
    for part in ("resources", "types"):
        assert _as_the_cli_writes_it(made[part]) == snapshot()[part], REMEDY


def test_everything_in_the_schema_is_described():
    made = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    silent = [
        f"{token}.{name}"
        for token, kind in {**made["resources"], **made["types"]}.items()
        for name, each in {**kind.get("inputProperties", {}), **kind.get("properties", {})}.items()
        if not each.get("description")
    ]
    assert silent == []


@pytest.fixture
def package(tmp_path: Path) -> Project:
    settings = project.environment() | {"PULUMI_BACKEND_URL": f"file://{tmp_path}"}
    return Project(folder=tmp_path, environment=settings)


def test_the_cli_reads_the_schema_from_the_folder(package: Project):
    asked = package.pulumi("package", "get-schema", str(ROOT / "package"))
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["resources"] == snapshot()["resources"], REMEDY


def _as_the_cli_writes_it(value: Any) -> Any:
    """The CLI drops the descriptions of a list's or a map's entries: they are those of the list."""
    if isinstance(value, list):
        return [_as_the_cli_writes_it(each) for each in value]
    if not isinstance(value, dict):
        return value
    entries = {"items", "additionalProperties"}
    return {
        key: {name: kept for name, kept in inner.items() if name != "description"}
        if key in entries and "type" in inner
        else _as_the_cli_writes_it(inner)
        for key, inner in value.items()
    }
