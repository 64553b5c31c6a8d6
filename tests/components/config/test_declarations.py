"""Pulumi.yaml, docs/config.md and the sections say the same: three places, one table."""

import dataclasses
import typing
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.config import PlatformConfig, ServedModel
from components.config.fields import key_of, type_name

ROOT = Path(__file__).parents[3]
SECTIONS = [
    section
    for table in (PlatformConfig, ServedModel)
    for section in typing.get_type_hints(table).values()
    if hasattr(section, "SECTION")
]


def declarations() -> dict[str, dict[str, Any]]:
    return {
        f"{section.SECTION}.{key_of(each.name)}": _declaration(
            typing.get_type_hints(section)[each.name], each
        )
        for section in SECTIONS
        for each in dataclasses.fields(section)
    }


def _declaration(annotation: object, field: "dataclasses.Field[Any]") -> dict[str, Any]:
    declaration = {"type": type_name(annotation), "description": field.metadata["doc"]}
    if declaration["type"] == "array":
        declaration["items"] = {"type": "string"}
    if not field.metadata.get("required"):
        default = field.default if field.default is not dataclasses.MISSING else field.default_factory()
        declaration["default"] = list(default) if isinstance(default, tuple) else default
    return declaration


def _written(default: Any) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    return '""' if default == "" else str(default)


def test_pulumi_yaml_declares_every_key_as_the_program_reads_it():
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]
    assert declared.pop("models")["type"] == "object"
    assert declared == declarations()


@pytest.mark.parametrize("key", sorted(declarations()))
def test_the_documentation_has_a_row_for_every_key(key: str):
    rows = (ROOT / "docs/config.md").read_text(encoding="utf-8").splitlines()
    declaration = declarations()[key]
    row = next((row for row in rows if row.startswith(f"| `{key}` |")), "")
    assert declaration["description"] in row, (
        f"docs/config.md: expected a row `{key}` that says: {declaration['description']}"
    )
    if "default" in declaration:
        assert f"| `{_written(declaration['default'])}` |" in row
