"""Where pods are, read from what the API server says, for assertions on placement."""

from collections import Counter, defaultdict
from typing import Any

Json = dict[str, Any]


def is_live(pod: Json) -> bool:
    """Say whether the pod is there and not on its way out."""
    return "deletionTimestamp" not in pod["metadata"]


def is_ready(item: Json) -> bool:
    """Say whether a pod or a node is Ready."""
    conditions = item["status"].get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def takes_pods(node: Json) -> bool:
    """Say whether a node is Ready and the controller manager has taken its taint away, which for a thousand nodes takes it a while."""
    taints = node["spec"].get("taints", [])
    return is_ready(node) and not any(each["key"].startswith("node.kubernetes.io/") for each in taints)


def model(pod: Json) -> str:
    instance: str = pod["metadata"]["labels"]["app.kubernetes.io/instance"]
    return instance


def by_model(pods: list[Json]) -> dict[str, list[Json]]:
    """Return the live pods of each model."""
    found = defaultdict(list)
    for pod in pods:
        if is_live(pod):
            found[model(pod)].append(pod)
    return dict(found)


def devices(pod: Json) -> Counter[str]:
    """Return the devices that a pod holds, by resource name."""
    held: Counter[str] = Counter()
    for container in pod["spec"]["containers"]:
        for resource, count in container["resources"].get("limits", {}).items():
            if resource.startswith("nvidia.com/"):
                held[resource] += int(count)
    return held


def zone(node: Json) -> str:
    name: str = node["metadata"]["labels"]["topology.kubernetes.io/zone"]
    return name


def zone_skew(pods: list[Json], nodes: dict[str, Json], zones: tuple[str, ...]) -> int:
    """Return by how many pods the fullest zone exceeds the emptiest."""
    counts = dict.fromkeys(zones, 0)
    for pod in pods:
        counts[zone(nodes[pod["spec"]["nodeName"]])] += 1
    return max(counts.values()) - min(counts.values())


def hosts(pods: list[Json]) -> list[str]:
    return [pod["spec"]["nodeName"] for pod in pods]


def overbooked(pods: list[Json], nodes: dict[str, Json]) -> dict[str, Counter[str]]:
    """Return the nodes that hold more devices than they have; a pod that is on its way out still holds its own."""
    held: dict[str, Counter[str]] = defaultdict(Counter)
    for pod in pods:
        if name := pod["spec"].get("nodeName"):
            held[name] += devices(pod)
    room = {name: node["status"]["allocatable"] for name, node in nodes.items()}
    return {
        name: taken
        for name, taken in held.items()
        if any(count > int(room[name].get(resource, 0)) for resource, count in taken.items())
    }
