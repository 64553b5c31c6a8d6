"""The first tutorial, read to its end on the real cluster: other pages go on with its model."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.pages import CLUSTER, NOTHING, reading
from tests.e2e.commands import ROOT, run
from tests.policy.project import environment
from tests.serving.processes import free_port


@dataclass(frozen=True, kw_only=True)
class Tutorial:
    """What a reader of the first tutorial has."""

    folder: Path
    """What the page calls `build/tutorial`."""
    printed: list[str]
    stack: str = "points"


@pytest.fixture(scope="package")
def tutorial(outputs: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tutorial]:
    assert outputs
    folder = tmp_path_factory.mktemp("tutorial")
    ports = {port: str(free_port()) for port in ("8501", "8503")}
    flags = f"--port={free_port()} --rest_api_port={ports['8501']} --console_port"
    replace = {"build/tutorial": str(folder), "$PWD/": "", "--console_port": flags, **ports}
    try:
        with reading(
            "docs/tutorials/keras.md", needs=(NOTHING, CLUSTER), replace=replace, saved=("python", "yaml")
        ) as page:
            printed = [page.next()]
            while "All is well." not in printed[-1]:
                printed.append(page.next())
            yield Tutorial(folder=folder, printed=printed)
            assert " deleted (" in page.next()
    finally:
        run("bin/pulumi", "destroy", "--yes", "--skip-preview", "--stack", "points", check=False)
        run("bin/pulumi", "stack", "rm", "points", "--yes", "--force", check=False)
        (ROOT / "Pulumi.points.yaml").unlink(missing_ok=True)


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the pages an operator's shell: `kubectl` on the path, and a kubeconfig."""
    settings = environment()
    monkeypatch.setenv("PATH", settings["PATH"])
    monkeypatch.setenv("KUBECONFIG", settings["KUBECONFIG"])


@pytest.fixture
def my_cluster(operator: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the local cluster have the name `my-cluster` as well, in a kubeconfig of one's own."""
    config = yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text())
    (context,) = [each for each in config["contexts"] if each["name"] == config["current-context"]]
    config["contexts"].append({**context, "name": "my-cluster"})
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
