"""What the components declare, applied to the local cluster as it is: without an engine, a state, or images."""

import json
import subprocess
from typing import Any

from tests.components.declared import Declared
from tests.e2e.commands import ROOT, run

Json = dict[str, Any]


def manifests(declared: tuple[Declared, ...] | list[Declared]) -> list[Json]:
    """Return the Kubernetes objects among what a program declared."""
    return [_whole(each.inputs) for each in declared if each.type.startswith("kubernetes:")]


def apply(objects: list[Json]) -> None:
    """Create or change objects as a deployer does, through the API server's own validation and admission."""
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    command = ["bin/cluster", "kubectl", "apply", "--server-side", "--force-conflicts", "--filename=-"]
    done = subprocess.run(command, cwd=ROOT, input=listed, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def delete_all(path: str) -> None:
    """Delete what a path of the API lists, in one request: kubectl's own way is one for each object."""
    run("bin/cluster", "kubectl", "delete", "--raw", path)


def _whole(value: Any) -> Any:
    """Return JSON whose whole numbers are written as such: the recorder speaks protobuf, which has floats only."""
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
