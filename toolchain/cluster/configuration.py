"""The files that components read, as functions from the layout to text.

Each function states one component's configuration and why a line is not the default. JSON where the
reader takes it (Kubernetes and CNI do), so that no YAML writer is needed.
"""

import base64
import json
from collections.abc import Mapping
from pathlib import Path

from toolchain.cluster import certificates
from toolchain.cluster.layout import (
    API_PORT,
    BRIDGE,
    BUILDER,
    CLUSTER_DOMAIN,
    CONTEXT,
    CONTROL_GROUP,
    DNS_HEALTH_PORT,
    DNS_SERVICE_ADDRESS,
    KUBELET_HEALTH_PORT,
    KUBELET_PORT,
    NODE_ADDRESS,
    PAUSE_IMAGE,
    POD_NETWORK,
    REGISTRY,
    Layout,
)
from toolchain.folders import PRODUCT

BUILD_CACHE = "6GB"


def write_for_images(layout: Layout) -> None:
    """Write what the registry and the image builder read."""
    _write(
        {
            layout.root / "buildkit" / "buildkitd.toml": buildkitd(layout),
            layout.root / "registry" / "config.yml": registry(layout),
            layout.buildx / "instances" / BUILDER: builder_instance(layout),
        }
    )


def write_all(layout: Layout) -> None:
    """Write every file; the texts are functions of the layout, so writing again changes nothing."""
    write_for_images(layout)
    _write(
        {
            layout.root / "cni" / "10-pods.conflist": container_network(layout),
            layout.containerd / "config.toml": containerd(layout),
            layout.kubelet / "config.json": kubelet(layout),
            layout.root / "coredns" / "Corefile": coredns(layout),
        }
    )
    _write({layout.kubeconfig(user): kubeconfig(layout, name) for user, name in certificates.CLIENTS.items()})


def _write(files: Mapping[Path, str]) -> None:
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)


def containerd(layout: Layout) -> str:
    """Everything under our root, even what containerd keeps in /run by default, so that `down` finds it."""
    root = layout.containerd
    return f"""\
version = 2
root = "{root}/root"
state = "{root}/state"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "{layout.containerd_socket}"
[plugins."io.containerd.internal.v1.opt"]
  path = "{root}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  # Without CAP_SYS_RESOURCE (containers, sandboxes) runc cannot lower a score, and every pod would fail.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{layout.root}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
      Root = "{root}/runc"
"""


def container_network(layout: Layout) -> str:
    """One bridge for all pods; addresses leased from files under our root."""
    bridge = {
        "type": "bridge", "bridge": BRIDGE, "isGateway": True, "ipMasq": True, "hairpinMode": True,
        "ipam": {
            "type": "host-local", "dataDir": f"{layout.root}/cni/leases",
            "ranges": [[{"subnet": POD_NETWORK, "gateway": NODE_ADDRESS}]], "routes": [{"dst": "0.0.0.0/0"}],
        },
    }  # fmt: skip
    host_ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return json.dumps({"cniVersion": "1.0.0", "name": PRODUCT, "plugins": [bridge, host_ports]}, indent=2)


def kubelet(layout: Layout) -> str:
    """A node that also runs on control groups v1 and keeps its files and logs under our root."""
    pki = layout.certificates
    return json.dumps(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
            "address": NODE_ADDRESS, "port": KUBELET_PORT, "healthzPort": KUBELET_HEALTH_PORT,
            "failCgroupV1": False, "cgroupDriver": "cgroupfs", "cgroupRoot": f"/{CONTROL_GROUP}",
            "containerRuntimeEndpoint": f"unix://{layout.containerd_socket}",
            "clusterDNS": [DNS_SERVICE_ADDRESS], "clusterDomain": CLUSTER_DOMAIN, "failSwapOn": False,
            "authentication": {
                "anonymous": {"enabled": False}, "webhook": {"enabled": True},
                "x509": {"clientCAFile": f"{pki}/ca.crt"},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": f"{pki}/kubelet.crt", "tlsPrivateKeyFile": f"{pki}/kubelet.key",
            "podLogsDir": f"{layout.root}/pod-logs", "volumePluginDir": f"{layout.kubelet}/volume-plugins",
            # The node shares the machine: evict for its own memory only when the machine is truly out of it, and
            # never remove an image, since the registry it came from may be down when it is needed again.
            "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
            "imageGCHighThresholdPercent": 100,
        },
        indent=2,
    )  # fmt: skip


def buildkitd(layout: Layout) -> str:
    """An image builder whose steps use the machine's network: package clients work as they do outside."""
    return f"""\
root = "{layout.root}/buildkit/root"
[grpc]
  address = ["unix://{layout.buildkit_socket}"]
[worker.oci]
  enabled = true
  binary = "runc"
  networkMode = "host"
  defaultCgroupParent = "{CONTROL_GROUP}/buildkit"
  gc = true
  reservedSpace = "{BUILD_CACHE}"
  maxUsedSpace = "{BUILD_CACHE}"
[worker.containerd]
  enabled = false
[registry."{REGISTRY}"]
  http = true
"""


def registry(layout: Layout) -> str:
    """A registry for this machine only, that allows deletion."""
    return f"""\
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {layout.root}/registry/data}}, delete: {{enabled: true}}}}
http: {{addr: "{REGISTRY}"}}
"""


def coredns(layout: Layout) -> str:
    """Cluster names from the API server, all others from the machine's resolver."""
    return f"""\
.:53 {{
    bind {NODE_ADDRESS}
    errors
    health 127.0.0.1:{DNS_HEALTH_PORT}
    kubernetes {CLUSTER_DOMAIN} in-addr.arpa ip6.arpa {{
        kubeconfig {layout.kubeconfig("coredns")}
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }}
    forward . /etc/resolv.conf
    cache 30
}}
"""


def builder_instance(layout: Layout) -> str:
    """The record by which buildx and docker-build find our buildkitd without any Docker engine."""
    node = {
        "Name": f"{BUILDER}0", "Endpoint": f"unix://{layout.buildkit_socket}", "Platforms": None,
        "DriverOpts": None, "Flags": None, "Files": None,
    }  # fmt: skip
    return json.dumps({"Name": BUILDER, "Driver": "remote", "Nodes": [node], "Dynamic": False})


def kubeconfig(layout: Layout, certificate: str) -> str:
    """A client configuration that is complete in one file, so it can be copied and merged."""
    pki = layout.certificates
    cluster = {
        "server": f"https://{NODE_ADDRESS}:{API_PORT}",
        "certificate-authority-data": _encoded(pki / "ca.crt"),
    }
    user = {
        "client-certificate-data": _encoded(pki / f"{certificate}.crt"),
        "client-key-data": _encoded(pki / f"{certificate}.key"),
    }
    return json.dumps(
        {
            "apiVersion": "v1", "kind": "Config", "current-context": CONTEXT,
            "clusters": [{"name": CONTEXT, "cluster": cluster}],
            "users": [{"name": CONTEXT, "user": user}],
            "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
        },
        indent=2,
    )  # fmt: skip


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
