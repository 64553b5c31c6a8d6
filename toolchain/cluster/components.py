"""The processes of the cluster, in the order they are started, each with its flags and the sign that it works.

    containerd, etcd, registry, buildkitd      need nothing but the bridge
    apiserver                                  needs etcd
    controller-manager, scheduler, proxy, coredns, metrics-server, kubelet
                                               need the API server
    device-plugin                              needs the kubelet

Only loopback and the pod bridge are listened on; flags that are defaults are not written.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from toolchain import binaries
from toolchain.cluster import probes
from toolchain.cluster.layout import (
    API_PORT,
    CONTROLLER_PORT,
    DEVICE_PLUGINS,
    DNS_HEALTH_PORT,
    DNS_PORT,
    ETCD_PEER_PORT,
    ETCD_PORT,
    KUBELET_HEALTH_PORT,
    KUBELET_PORT,
    METRICS_PORT,
    NODE,
    NODE_ADDRESS,
    POD_NETWORK,
    PROXY_HEALTH_PORT,
    PROXY_METRICS_PORT,
    REGISTRY,
    REGISTRY_PORT,
    SCHEDULER_PORT,
    SERVICE_NETWORK,
    Layout,
)
from toolchain.errors import NotSetUp
from toolchain.folders import Folders


@dataclass(frozen=True, kw_only=True)
class Component:
    """One process of the cluster."""

    name: str
    command: tuple[str, ...]
    is_ready: Callable[[], bool]
    """Cheap and without side effects; asked every fraction of a second until it holds."""
    ports: tuple[int, ...] = ()
    """TCP ports that it listens on."""


@dataclass(frozen=True, kw_only=True)
class Programs:
    """Paths of the binaries that were built."""

    kube: Path
    pause: Path
    buildkitd: Path
    coredns: Path
    metrics_server: Path


def locate(folders: Folders) -> Programs:
    """Return the paths of the binaries, built or not."""

    def path(name: str) -> Path:
        return binaries.location(binaries.named(name), folders)

    return Programs(
        kube=path("kube"), pause=path("pause"), buildkitd=path("buildkitd"), coredns=path("coredns"),
        metrics_server=path("metrics-server"),
    )  # fmt: skip


def require_built(wanted: tuple[binaries.Binary, ...], folders: Folders) -> None:
    """Raise NotSetUp when a binary of the cluster is missing."""
    absent = binaries.missing(wanted, folders)
    if absent:
        names = ", ".join(binary.name for binary in absent)
        raise NotSetUp(
            f"the local cluster needs {names}, not built yet for this checkout; run `bin/setup` first"
        )


def foundation(layout: Layout, programs: Programs) -> tuple[Component, ...]:
    """Return what runs before Kubernetes: containers, storage, images."""
    return (
        Component(
            name="containerd",
            command=("/usr/bin/containerd", "--config", f"{layout.containerd}/config.toml"),
            is_ready=lambda: probes.accepts(layout.containerd_socket),
        ),
        Component(
            name="etcd",
            command=_etcd(layout),
            is_ready=lambda: probes.accepts(("127.0.0.1", ETCD_PORT)),
            ports=(ETCD_PORT, ETCD_PEER_PORT),
        ),
        *image_services(layout, programs),
    )


def image_services(layout: Layout, programs: Programs) -> tuple[Component, ...]:
    """Return what builds images and keeps them; useful with any cluster."""
    return (
        Component(
            name="registry",
            command=("/usr/bin/docker-registry", "serve", f"{layout.root}/registry/config.yml"),
            is_ready=lambda: probes.answers(f"http://{REGISTRY}/v2/"),
            ports=(REGISTRY_PORT,),
        ),
        Component(
            name="buildkitd",
            command=(str(programs.buildkitd), "--config", f"{layout.root}/buildkit/buildkitd.toml"),
            is_ready=lambda: probes.accepts(layout.buildkit_socket),
        ),
    )


def control_plane(layout: Layout, programs: Programs) -> tuple[Component, ...]:
    """Return the API server."""
    kubectl = programs.kube.with_name("kubectl")
    return (
        Component(
            name="apiserver",
            command=_api_server(layout, programs),
            is_ready=lambda: probes.api_is_ready(kubectl, layout.kubeconfig()),
            ports=(API_PORT,),
        ),
    )


def node(layout: Layout, programs: Programs) -> tuple[Component, ...]:
    """Return the controllers and everything that makes this machine a node."""
    pki, kube = layout.certificates, str(programs.kube)
    return (
        Component(
            name="controller-manager",
            command=(
                kube, "controller-manager", f"--kubeconfig={layout.kubeconfig('controller-manager')}",
                f"--service-account-private-key-file={pki}/service-account.key", f"--root-ca-file={pki}/ca.crt",
                "--use-service-account-credentials", "--leader-elect=false", f"--cert-dir={pki}/controller-manager",
                "--bind-address=127.0.0.1", f"--secure-port={CONTROLLER_PORT}",
                # Metrics come every 10 s; the default of 15 s would look at most of them late.
                "--horizontal-pod-autoscaler-sync-period=5s",
                # The default of 20 requests a second leaves a thousand new nodes tainted for two minutes.
                "--kube-api-qps=100", "--kube-api-burst=200",
            ),
            is_ready=lambda: probes.accepts(("127.0.0.1", CONTROLLER_PORT)),
            ports=(CONTROLLER_PORT,),
        ),
        Component(
            name="scheduler",
            command=(
                kube, "scheduler", f"--kubeconfig={layout.kubeconfig('scheduler')}", "--leader-elect=false",
                "--bind-address=127.0.0.1", f"--secure-port={SCHEDULER_PORT}", f"--cert-dir={pki}/scheduler",
            ),
            is_ready=lambda: probes.accepts(("127.0.0.1", SCHEDULER_PORT)),
            ports=(SCHEDULER_PORT,),
        ),
        Component(
            name="kubelet",
            command=(
                kube, "kubelet", f"--config={layout.kubelet}/config.json", f"--kubeconfig={layout.kubeconfig('kubelet')}",
                f"--root-dir={layout.kubelet}", f"--hostname-override={NODE}", f"--node-ip={NODE_ADDRESS}",
                # What NVIDIA's feature discovery sets, for programs that select nodes by it.
                "--node-labels=nvidia.com/gpu.present=true",
            ),
            is_ready=lambda: probes.answers(f"http://127.0.0.1:{KUBELET_HEALTH_PORT}/healthz"),
            ports=(KUBELET_PORT, KUBELET_HEALTH_PORT),
        ),
        Component(
            name="proxy",
            command=(
                kube, "proxy", f"--kubeconfig={layout.kubeconfig('proxy')}", f"--hostname-override={NODE}",
                # Only the iptables mode serves NodePorts on loopback; and only there, or on the bridge, are they wanted.
                "--proxy-mode=iptables", f"--nodeport-addresses=127.0.0.0/8,{POD_NETWORK}",
                f"--cluster-cidr={POD_NETWORK}", f"--metrics-bind-address=127.0.0.1:{PROXY_METRICS_PORT}",
                f"--healthz-bind-address=127.0.0.1:{PROXY_HEALTH_PORT}",
            ),
            is_ready=lambda: probes.answers(f"http://127.0.0.1:{PROXY_HEALTH_PORT}/healthz"),
            ports=(PROXY_METRICS_PORT, PROXY_HEALTH_PORT),
        ),
        Component(
            name="coredns",
            command=(str(programs.coredns), "-conf", f"{layout.root}/coredns/Corefile"),
            is_ready=lambda: probes.answers(f"http://127.0.0.1:{DNS_HEALTH_PORT}/health"),
            ports=(DNS_PORT, DNS_HEALTH_PORT),
        ),
        Component(
            name="metrics-server",
            command=_metrics_server(layout, programs),
            is_ready=lambda: probes.accepts((NODE_ADDRESS, METRICS_PORT)),
            ports=(METRICS_PORT,),
        ),
    )  # fmt: skip


def device_plugin(programs: Programs, gpus: int) -> Component:
    """Return the process that advertises stand-in GPUs."""
    return Component(
        name="device-plugin",
        command=(str(programs.kube), "device-plugin", f"--plugin-dir={DEVICE_PLUGINS}", f"--count={gpus}"),
        is_ready=(DEVICE_PLUGINS / "tf-serving-platform-gpu.sock").exists,
    )


def _etcd(layout: Layout) -> tuple[str, ...]:
    pki = layout.certificates
    client, peer = f"https://127.0.0.1:{ETCD_PORT}", f"https://127.0.0.1:{ETCD_PEER_PORT}"
    trust = [f"--{side}trusted-ca-file={pki}/ca.crt" for side in ("", "peer-")]
    return (
        "/usr/bin/etcd", f"--data-dir={layout.root}/etcd", f"--name={NODE}",
        f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster={NODE}={peer}",
        # The store holds every secret of the cluster: without certificates any user of the machine could read it.
        f"--cert-file={pki}/etcd.crt", f"--key-file={pki}/etcd.key", "--client-cert-auth",
        f"--peer-cert-file={pki}/etcd.crt", f"--peer-key-file={pki}/etcd.key", "--peer-client-cert-auth", *trust,
    )  # fmt: skip


def _api_server(layout: Layout, programs: Programs) -> tuple[str, ...]:
    pki = layout.certificates
    return (
        str(programs.kube), "apiserver",
        f"--bind-address={NODE_ADDRESS}", f"--advertise-address={NODE_ADDRESS}", f"--secure-port={API_PORT}",
        f"--etcd-servers=https://127.0.0.1:{ETCD_PORT}", f"--etcd-cafile={pki}/ca.crt",
        f"--etcd-certfile={pki}/etcd.crt", f"--etcd-keyfile={pki}/etcd.key",
        f"--service-cluster-ip-range={SERVICE_NETWORK}", "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true", f"--cert-dir={pki}/apiserver",
        # Debian's etcd cannot say how far a watch has come. What is offered all the same is refused to each who asks, and a
        # client that watches from version 0 counts as one who asks: it would list all 30 s and never watch.
        "--feature-gates=WatchList=false",
        f"--client-ca-file={pki}/ca.crt", f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki}/service-account.pub",
        f"--service-account-signing-key-file={pki}/service-account.key",
        f"--kubelet-client-certificate={pki}/kubelet-client.crt", f"--kubelet-client-key={pki}/kubelet-client.key",
        f"--kubelet-certificate-authority={pki}/ca.crt", "--kubelet-preferred-address-types=InternalIP",
        # The aggregation layer, for metrics-server: it runs outside the pod network, so its endpoint is called directly.
        "--enable-aggregator-routing=true", f"--requestheader-client-ca-file={pki}/ca.crt",
        "--requestheader-allowed-names=front-proxy-client", f"--proxy-client-cert-file={pki}/front-proxy.crt",
        f"--proxy-client-key-file={pki}/front-proxy.key", "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group", "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    )  # fmt: skip


def _metrics_server(layout: Layout, programs: Programs) -> tuple[str, ...]:
    pki, kubeconfig = layout.certificates, layout.kubeconfig("metrics-server")
    return (
        str(programs.metrics_server), f"--kubeconfig={kubeconfig}", f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}", f"--bind-address={NODE_ADDRESS}", f"--secure-port={METRICS_PORT}",
        f"--tls-cert-file={pki}/metrics-server.crt", f"--tls-private-key-file={pki}/metrics-server.key",
        f"--kubelet-certificate-authority={pki}/ca.crt", "--kubelet-preferred-address-types=InternalIP",
        # Autoscaling is watched by people here: the shortest resolution metrics-server allows.
        "--metric-resolution=10s", "--kubelet-request-timeout=5s",
    )  # fmt: skip


IMAGE_PURPOSES = {REGISTRY_PORT: "the image registry"}
PURPOSES = IMAGE_PURPOSES | {
    API_PORT: "the Kubernetes API server", ETCD_PORT: "etcd", ETCD_PEER_PORT: "etcd",
    KUBELET_PORT: "the kubelet", KUBELET_HEALTH_PORT: "the kubelet", PROXY_METRICS_PORT: "kube-proxy",
    PROXY_HEALTH_PORT: "kube-proxy", CONTROLLER_PORT: "the controller manager", SCHEDULER_PORT: "the scheduler",
    METRICS_PORT: "metrics-server", DNS_HEALTH_PORT: "the cluster's DNS",
}  # fmt: skip
