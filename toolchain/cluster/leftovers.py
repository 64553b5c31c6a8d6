"""What processes that were killed leave in the kernel and on disk, found by our names and removed.

Nothing here trusts a record: containers are found in our control group, their supervisors by our socket
path, mounts below our root, links by their target. So it works after `kill -9`, a full disk or a reboot.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from toolchain import mounts
from toolchain.cluster import network, packet_filter, processes
from toolchain.cluster.layout import CONTROL_GROUP, DEVICE_PLUGINS, Layout
from toolchain.folders import PRODUCT

CONTROL_GROUPS = Path("/sys/fs/cgroup")
KILL_SECONDS = 10.0


def remove_all(layout: Layout) -> None:
    """Remove every trace in the kernel, and our files in folders that are not ours."""
    stop_containers(layout)
    mounts.unmount_below(layout.root)
    network.remove_bridge()
    packet_filter.remove_rules()
    remove_control_groups()
    _remove_foreign_files(layout)


def stop_containers(layout: Layout) -> None:
    """Kill every container and the supervisor of each, whoever their parent is now."""
    processes.kill_pids(_supervisors(layout), seconds=KILL_SECONDS)
    processes.kill_pids(_contained(), seconds=KILL_SECONDS)


def make_control_groups() -> None:
    """Create our control group in every hierarchy; the kubelet and buildkitd work below it."""
    for folder in _control_group_folders():
        folder.mkdir(exist_ok=True)
    if (CONTROL_GROUPS / "cgroup.controllers").exists():  # version 2: controllers must be handed down
        offered = (CONTROL_GROUPS / "cgroup.controllers").read_text().split()
        for folder in (CONTROL_GROUPS, CONTROL_GROUPS / CONTROL_GROUP):
            (folder / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in offered))


def remove_control_groups() -> None:
    """Remove our control groups, deepest first; one that is still busy is left to the next try."""
    for top in _control_group_folders():
        for folder, _, _ in os.walk(top, topdown=False):
            try:
                Path(folder).rmdir()
            except OSError:
                continue


def _supervisors(layout: Layout) -> Iterator[int]:
    """Find containerd's shims by the socket of the containerd that they report to."""
    wanted = str(layout.containerd_socket).encode()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it ended meanwhile
            continue
        if words[0].endswith(b"containerd-shim-runc-v2") and wanted in words:
            yield int(folder.name)


def _contained() -> Iterator[int]:
    for top in _control_group_folders():
        for listing in top.rglob("cgroup.procs"):
            try:
                yield from (int(pid) for pid in listing.read_text().split())
            except OSError:  # the group went meanwhile
                continue


def _control_group_folders() -> list[Path]:
    if (CONTROL_GROUPS / "cgroup.controllers").exists():
        return [CONTROL_GROUPS / CONTROL_GROUP]
    return [
        hierarchy / CONTROL_GROUP
        for hierarchy in CONTROL_GROUPS.iterdir()
        if (hierarchy / "cgroup.procs").exists()
    ]


def _remove_foreign_files(layout: Layout) -> None:
    """Remove what components write to fixed places: log links, plugin sockets, network results, shim sockets."""
    for link in Path("/var/log/containers").glob("*.log"):
        if link.is_symlink() and str(link.readlink()).startswith(f"{layout.root}/"):
            link.unlink()
    for leftover in Path("/var/lib/cni").glob(f"*/{PRODUCT}-*"):
        leftover.unlink()
    for name in ("kubelet.sock", "kubelet_internal_checkpoint", "tf-serving-platform-gpu.sock"):
        (DEVICE_PLUGINS / name).unlink(missing_ok=True)
    for sandbox in layout.containerd.glob("state/io.containerd.runtime.v2.task/k8s.io/*"):
        shim_socket(layout, sandbox.name).unlink(missing_ok=True)
    for folder in (DEVICE_PLUGINS, DEVICE_PLUGINS.parent, Path("/var/log/containers")):
        if folder.exists() and not any(folder.iterdir()):
            folder.rmdir()


def shim_socket(layout: Layout, sandbox: str) -> Path:
    """Return a shim's socket: its place is compiled into containerd (runtime/v2/shim/util_unix.go, SocketAddress)."""
    name = f"{layout.containerd_socket}/k8s.io/{sandbox}"
    return Path("/run/containerd/s") / hashlib.sha256(name.encode()).hexdigest()
