"""The facts that every part of the cluster agrees on: addresses, ports, names, paths.

The node's address is the pod bridge's own, not the machine's: the cluster then survives a change of network
and nothing of it but NodePorts on loopback is reachable from outside (docs/adr/0004).
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from toolchain.folders import PRODUCT

NODE = PRODUCT
CONTEXT = PRODUCT
BUILDER = PRODUCT
BRIDGE = "tfsp0"
NODE_ADDRESS = "10.244.0.1"
POD_NETWORK = "10.244.0.0/24"
SERVICE_NETWORK = "10.96.0.0/16"
API_SERVICE_ADDRESS = "10.96.0.1"
DNS_SERVICE_ADDRESS = "10.96.0.10"
CLUSTER_DOMAIN = "cluster.local"
CONTROL_GROUP = PRODUCT

API_PORT = 6443
ETCD_PORT = 2379
ETCD_PEER_PORT = 2380
REGISTRY_PORT = 5000
KUBELET_PORT = 10250
KUBELET_HEALTH_PORT = 10248
PROXY_METRICS_PORT = 10249
PROXY_HEALTH_PORT = 10256
CONTROLLER_PORT = 10257
SCHEDULER_PORT = 10259
METRICS_PORT = 4443
DNS_PORT = 53
DNS_HEALTH_PORT = 10253

REGISTRY = f"127.0.0.1:{REGISTRY_PORT}"
PAUSE_IMAGE = f"{REGISTRY}/{PRODUCT}/pause:1"
# The kubelet has this path compiled in (k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1/constants.go).
DEVICE_PLUGINS = Path("/var/lib/kubelet/device-plugins")

# sockaddr_un.sun_path holds 108 bytes with its final zero; the longest socket we have is the kubelet's.
LONGEST_SOCKET = "kubelet/pod-resources/kubelet.sock"
SOCKET_PATH_BYTES = 107


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where each part of the cluster keeps its files, under one root."""

    root: Path

    @property
    def logs(self) -> Path:
        """One log file a component."""
        return self.root / "log"

    @property
    def certificates(self) -> Path:
        """Keys and certificates; readable by root only."""
        return self.root / "certificates"

    @property
    def containerd(self) -> Path:
        """Images, containers and sandboxes."""
        return self.root / "containerd"

    @property
    def containerd_socket(self) -> Path:
        """The container runtime interface that the kubelet talks to."""
        return self.containerd / "containerd.sock"

    @property
    def kubelet(self) -> Path:
        """The kubelet's root: volumes of pods, sockets."""
        return self.root / "kubelet"

    @property
    def buildkit_socket(self) -> Path:
        """Where docker-build finds the image builder."""
        return self.root / "buildkit" / "buildkitd.sock"

    @property
    def buildx(self) -> Path:
        """BUILDX_CONFIG with the one builder that points to our buildkitd."""
        return self.root / "buildx"

    @property
    def state_file(self) -> Path:
        """The record of what was started."""
        return self.root / "state.json"

    def kubeconfig(self, user: str = "admin") -> Path:
        """Return the client configuration of a component or of the administrator."""
        return self.root / "kubeconfig" / f"{user}.yaml"


def choose_root(preferred: Path) -> Path:
    """Return the folder of the cluster: the preferred one, or a short one where sockets would not fit below it."""
    if len(bytes(preferred / LONGEST_SOCKET)) <= SOCKET_PATH_BYTES:
        return preferred
    digest = hashlib.sha256(bytes(preferred)).hexdigest()[:8]
    return Path("/var/lib") / PRODUCT / f"cluster-{digest}"
