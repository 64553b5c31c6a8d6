"""Contracts of models as TensorFlow and the exporter really write them: described rightly, and never refused for being ordinary."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from model_export.artifact import ExportRequest, Manifest, Signature
from model_export.contract import Level, diff, read_contract, refuse_unsafe
from model_export.errors import ContractError
from model_export.exporting import export
from model_export.repository import open_repository
from tests.model_export.models.modules import MODULES
from tests.model_export.models.refused import REFUSED
from tests.model_export.models.tensorflow1 import saved_model_with_everything

pytestmark = pytest.mark.tensorflow

BUILDERS: dict[str, Any] = {**MODULES, "saved_model_with_everything": saved_model_with_everything}


def _signatures(folder: Path) -> dict[str, dict[str, set[str]]]:
    """Return what TensorFlow's own parser says: signature -> side -> aliases."""
    from tensorflow.core.protobuf import saved_model_pb2

    (meta_graph,) = saved_model_pb2.SavedModel.FromString(
        (folder / "saved_model.pb").read_bytes()
    ).meta_graphs
    return {
        name: {"inputs": set(each.inputs), "outputs": set(each.outputs)}
        for name, each in meta_graph.signature_def.items()
        if not name.startswith("__saved_model_")
    }


def _told(signatures: tuple[Signature, ...]) -> dict[str, dict[str, set[str]]]:
    return {
        each.name: {
            "inputs": {spec.name for spec in each.inputs},
            "outputs": {spec.name for spec in each.outputs},
        }
        for each in signatures
    }


@pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS.keys())
def test_an_ordinary_model_is_safe_before_and_after_it_is_frozen(build: Any, tmp_path: Path) -> None:
    source = tmp_path / "source"
    build(source)
    before = read_contract(source)
    refuse_unsafe(before)
    assert _told(before.signatures) == _signatures(source)

    artifact = export(
        ExportRequest(name="m", source=source, base_path=tmp_path / "models", version=1),
        report=lambda _: None,
    )
    shutil.rmtree(source)
    after = read_contract(artifact.path)
    refuse_unsafe(after)
    assert after.variable_bytes == 0
    assert _told(after.signatures) == _signatures(artifact.path)
    assert after.signatures == artifact.manifest.signatures
    assert diff(before, after).level in {Level.NUMERICS_ONLY, Level.ADDITIVE}


@pytest.mark.parametrize("name", [name for name in REFUSED if "python" in name or "numpy" in name])
def test_a_model_that_calls_python_is_refused_by_the_operation(name: str, tmp_path: Path) -> None:
    REFUSED[name][0](tmp_path / "source")
    contract = read_contract(tmp_path / "source")
    assert contract.python_ops
    with pytest.raises(ContractError, match=re.escape(contract.python_ops[0])):
        refuse_unsafe(contract)


def test_an_exported_version_walks_through_a_repository_unchanged(tmp_path: Path) -> None:
    MODULES["vocabulary_file"](tmp_path / "source")
    artifact = export(
        ExportRequest(name="m", source=tmp_path / "source", base_path=tmp_path / "models", version=3),
        report=lambda _: None,
    )
    repository = open_repository(tmp_path / "shelf")
    assert repository.publish(artifact.path) == artifact.manifest
    fetched = repository.fetch("latest", tmp_path / "pod")
    assert Manifest.read(fetched) == artifact.manifest
    assert read_contract(fetched) == read_contract(artifact.path)
