"""What the cluster needs from the kernel's network: a bridge, control groups, switches; and their undoing.

The bridge is made before any pod exists because the API server, the kubelet and the cluster's DNS listen
on its address; the CNI plugin later finds it there and uses it.
"""

import ipaddress
import subprocess
from pathlib import Path

from toolchain.cluster.layout import BRIDGE, NODE_ADDRESS, POD_NETWORK, SERVICE_NETWORK
from toolchain.errors import ComponentFailed, MissingRequirement

PROC_SYS = Path("/proc/sys")
# Written by kube-proxy, the kubelet and the CNI plugins; put back by `down`.
KERNEL_SWITCHES = (
    "net/ipv4/ip_forward", "net/ipv4/conf/all/route_localnet", "net/bridge/bridge-nf-call-iptables",
    "net/netfilter/nf_conntrack_max", "net/netfilter/nf_conntrack_tcp_timeout_established",
    "net/netfilter/nf_conntrack_tcp_timeout_close_wait", "vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops",
)  # fmt: skip


def read_switches(root: Path = PROC_SYS) -> dict[str, str]:
    """Return the present values of the switches that exist on this kernel."""
    return {name: (root / name).read_text().strip() for name in KERNEL_SWITCHES if (root / name).exists()}


def restore_switches(values: dict[str, str], root: Path = PROC_SYS) -> None:
    """Put back the switches that changed; a kernel that refuses one keeps it."""
    for name, value in values.items():
        path = root / name
        try:
            if path.exists() and path.read_text().strip() != value:
                path.write_text(value)
        except OSError:
            continue


def require_free_ranges() -> None:
    """Raise MissingRequirement when the machine already routes to our pod or service network."""
    routes = subprocess.run(["ip", "-4", "route", "show"], capture_output=True, text=True, check=True).stdout
    if taken := overlapping_route(routes):
        raise MissingRequirement(
            f"the pod network {POD_NETWORK} and the service network {SERVICE_NETWORK} must be free on this machine, and "
            f"there is the route `{taken}`; leave that network, or use your own cluster with `bin/up --context NAME`"
        )


def overlapping_route(routes: str) -> str | None:
    """Return the first line of `ip route` output, other than our bridge's, whose destination overlaps our networks."""
    ours = [ipaddress.ip_network(POD_NETWORK), ipaddress.ip_network(SERVICE_NETWORK)]
    for line in routes.splitlines():
        destination, *rest = line.split()
        if destination in ("default", "unreachable", "blackhole", "prohibit") or BRIDGE in rest:
            continue
        network = ipaddress.ip_network(destination, strict=False)
        if any(network.overlaps(each) for each in ours):
            return line.strip()
    return None


def make_bridge() -> None:
    """Create the pod bridge with the node's address, unless it is there."""
    if not Path(f"/sys/class/net/{BRIDGE}").exists():
        _ip("link", "add", BRIDGE, "type", "bridge")
    prefix = POD_NETWORK.rpartition("/")[2]
    _ip("address", "replace", f"{NODE_ADDRESS}/{prefix}", "dev", BRIDGE)
    _ip("link", "set", BRIDGE, "up")


def remove_bridge() -> None:
    """Remove the bridge and whatever is still plugged into it."""
    ports = Path(f"/sys/class/net/{BRIDGE}/brif")
    for port in sorted(ports.iterdir()) if ports.exists() else ():
        subprocess.run(["ip", "link", "delete", port.name], capture_output=True)
    if Path(f"/sys/class/net/{BRIDGE}").exists():
        _ip("link", "delete", BRIDGE)


def _ip(*arguments: str) -> None:
    result = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    if result.returncode != 0:
        raise ComponentFailed(
            f"`ip {' '.join(arguments)}` failed: {result.stderr.strip()}; is this root with CAP_NET_ADMIN?"
        )
