"""A thousand stand-in nodes: what they are, and the one process that is the kubelet of all of them.

kwok reports the nodes ready, renews their leases every ten seconds as kubelets do, and answers for the pods that the real scheduler
binds to them. GPU nodes are tainted as they commonly are, so no pod of anybody else that asks for no GPU comes near them.
"""

import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.e2e.commands import ROOT, run
from tests.e2e.scale.manifests import apply, delete_all
from toolchain import binaries, folders

LABEL = "tf-serving-platform/stand-in"
KUBELET_LABEL = "tf-serving-platform/kubelet"
"""What a node has for as long as kwok is its kubelet."""
ZONES = ("zone-a", "zone-b", "zone-c")
LEASE_SECONDS = 40  # the kubelet's default; it is renewed at a quarter of it
# Nobody is at this address, and asking it never leaves the machine: metrics-server asks every node that it hears of.
NODE_ADDRESS = "127.0.0.2"
POD_ADDRESSES = "10.201.0.0/16"


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Nodes of one kind."""

    name: str
    nodes: int
    product: str
    """What NVIDIA's feature discovery writes on the node."""
    resource: str
    """What the device plugin advertises."""
    devices: int
    """How many of them on a node."""

    def manifests(self) -> list[dict[str, Any]]:
        """Return the nodes, as their kubelets would register them, in the zones by turns."""
        return [self._node(f"{self.name}-{number:03d}", number) for number in range(self.nodes)]

    def _node(self, name: str, number: int) -> dict[str, Any]:
        labels = {
            LABEL: "node",
            KUBELET_LABEL: "kwok",
            "kubernetes.io/hostname": name,
            "topology.kubernetes.io/region": "region-1",
            "topology.kubernetes.io/zone": ZONES[number % len(ZONES)],
            "nvidia.com/gpu.present": "true",
            "nvidia.com/gpu.product": self.product,
        }
        room = {"cpu": "64", "memory": "512Gi", "ephemeral-storage": "1Ti", "pods": "110"}
        room[self.resource] = str(self.devices)
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": labels},
            "spec": {"taints": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]},
            "status": {"capacity": room, "allocatable": room},
        }


POOLS = (
    Pool(name="l4", nodes=600, product="NVIDIA-L4", resource="nvidia.com/gpu", devices=4),
    Pool(
        name="a100",
        nodes=250,
        product="NVIDIA-A100-SXM4-40GB",
        resource="nvidia.com/mig-3g.20gb",
        devices=16,
    ),
    Pool(name="h100", nodes=150, product="NVIDIA-H100-80GB-HBM3", resource="nvidia.com/gpu", devices=8),
)


@contextmanager
def kubelets(kubeconfig: str, log: Path) -> Iterator[int]:
    """Run kwok as the kubelet of all of them, and yield its process id."""
    program = binaries.location(binaries.named("kwok"), folders.locate())
    command = [
        program, f"--kubeconfig={kubeconfig}", f"--manage-nodes-with-label-selector={KUBELET_LABEL}",
        f"--config={ROOT / 'tests/e2e/scale/stages.yaml'}", f"--node-lease-duration-seconds={LEASE_SECONDS}",
        f"--node-ip={NODE_ADDRESS}", f"--cidr={POD_ADDRESSES}",
    ]  # fmt: skip
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            yield process.pid
        finally:
            process.terminate()


def add(pool: Pool) -> None:
    apply(pool.manifests())


def silence(nodes: Iterable[str]) -> None:
    """Take nodes their kubelet away: nobody renews their leases, and nobody ends or starts a pod there."""
    run("bin/cluster", "kubectl", "label", "nodes", *nodes, f"{KUBELET_LABEL}-")


def names() -> list[str]:
    """Return the nodes that there are."""
    return run(
        "bin/cluster", "kubectl", "get", "nodes", f"--selector={LABEL}", "--output=name"
    ).stdout.split()


def remove_all() -> None:
    """Remove the nodes, also those of a test that was killed."""
    delete_all(f"/api/v1/nodes?labelSelector={quote(LABEL, safe='')}")
