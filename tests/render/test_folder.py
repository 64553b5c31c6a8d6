"""One file an object, an index in order, and nothing of others lost."""

from pathlib import Path

import pytest
import yaml

from render.errors import RenderError
from render.folder import write
from render.manifests import Manifest


def manifest(kind: str, name: str, namespace: str = "a") -> Manifest:
    return Manifest(content={"kind": kind, "metadata": {"name": name, "namespace": namespace}})


def test_each_object_has_a_file_and_the_index_keeps_the_order(tmp_path: Path):
    write(tmp_path / "prod", [manifest("Namespace", "a"), manifest("Deployment", "mnist")])
    index = yaml.safe_load((tmp_path / "prod/kustomization.yaml").read_text())
    assert index["resources"] == ["namespace-a.yaml", "deployment-mnist.yaml"]
    assert (
        yaml.safe_load((tmp_path / "prod/deployment-mnist.yaml").read_text())["metadata"]["name"] == "mnist"
    )


def test_what_an_earlier_rendering_left_goes(tmp_path: Path):
    write(tmp_path, [manifest("Deployment", "old")])
    write(tmp_path, [manifest("Deployment", "new")])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deployment-new.yaml", "kustomization.yaml"]


@pytest.mark.parametrize("name", ["notes.md", "deployment.yaml"])
def test_files_of_others_are_not_touched(tmp_path: Path, name: str):
    (tmp_path / name).write_text("kind: Deployment\n")
    with pytest.raises(RenderError, match=f"holds {name}, which no rendering wrote"):
        write(tmp_path, [manifest("Deployment", "mnist")])
    assert (tmp_path / name).read_text() == "kind: Deployment\n"


def test_two_objects_for_one_file_are_refused_before_anything_is_written(tmp_path: Path):
    with pytest.raises(RenderError, match=r"two objects would be written to service-mnist\.yaml"):
        write(tmp_path / "out", [manifest("Service", "mnist"), manifest("Service", "mnist", "b")])
    assert not (tmp_path / "out").exists()


def test_writing_twice_changes_nothing(tmp_path: Path):
    write(tmp_path, [manifest("Service", "mnist")])
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    write(tmp_path, [manifest("Service", "mnist")])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first
