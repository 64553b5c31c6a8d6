"""What a stack has declared, held to what the API server has: with real schemas, by its strict validation and field by field."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.e2e.commands import kubectl, run

Object = dict[str, Any]


def declared(exported: str) -> dict[str, Object]:
    """Return the Kubernetes objects that a stack's export says were sent, by `Kind/name`."""
    resources = json.loads(exported)["deployment"]["resources"]
    objects = [each["inputs"] for each in resources if each["type"].startswith("kubernetes:")]
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in objects}


def strictly_applied(objects: list[Object], folder: Path) -> subprocess.CompletedProcess[str]:
    """Have the API server judge objects as if they were applied; a field that it does not know is an error and no warning."""
    file = folder / "objects.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    words = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict"]
    return run("bin/cluster", "kubectl", *words, f"--filename={file}", check=False)


def live(item: Object) -> Any:
    kind = (
        f"{item['kind']}.{item['apiVersion'].partition('/')[0]}"
        if "/" in item["apiVersion"]
        else item["kind"]
    )
    return kubectl("get", kind, item["metadata"]["name"], namespace=item["metadata"].get("namespace"))


def lost(sent: Any, kept: Any, path: str = "") -> list[str]:
    """Return the paths of what was sent and is not there as it was sent: what no schema knows is pruned without a word."""
    if isinstance(sent, dict) and isinstance(kept, dict):
        return [each for key, value in sent.items() for each in lost(value, kept.get(key), f"{path}.{key}")]
    if isinstance(sent, list) and isinstance(kept, list) and len(sent) == len(kept):
        pairs = enumerate(zip(sent, kept, strict=True))
        return [each for number, (one, other) in pairs for each in lost(one, other, f"{path}[{number}]")]
    return [] if sent == kept else [f"{path}: {sent!r}, not {kept!r}"]
