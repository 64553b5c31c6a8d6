"""The version that the production stack names is whole, and is what the exporter writes."""

import hashlib
from pathlib import Path

import yaml

from model_export.artifact import MANIFEST_NAME, Manifest

ROOT = Path(__file__).parents[2]


def published() -> Path:
    settings = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())["config"]
    return ROOT / settings["tf-serving-platform:model"]["source"]


def test_every_file_is_the_one_that_the_manifest_names() -> None:
    manifest = Manifest.read(published())
    found = {
        str(path.relative_to(published())): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in published().rglob("*")
        if path.is_file() and path.name != MANIFEST_NAME
    }
    assert found == {name: digest.sha256 for name, digest in manifest.files.items()}


def test_it_is_the_version_of_its_folder_and_was_measured() -> None:
    manifest = Manifest.read(published())
    assert (manifest.name, str(manifest.version)) == ("mnist", published().name)
    assert manifest.accuracy is not None
    assert manifest.accuracy.examples == 1000
