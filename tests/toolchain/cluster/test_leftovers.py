from pathlib import Path

from toolchain.cluster import leftovers
from toolchain.cluster.layout import Layout

MOUNTINFO = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:30 / /state/cluster/containerd/rootfs rw - overlay overlay rw
31 22 0:31 / /state/cluster/kubelet/pods/1/volumes/token rw - tmpfs tmpfs rw
32 22 0:32 / /state/cluster-of-another rw - tmpfs tmpfs rw
33 22 0:33 / /state/cluster/with\\040space rw - tmpfs tmpfs rw
34 22 0:34 / /state/cluster rw - tmpfs tmpfs rw
"""


def test_only_mounts_below_the_root_are_ours_and_the_deepest_come_first() -> None:
    assert leftovers.mounts_below(Path("/state/cluster"), MOUNTINFO) == [
        "/state/cluster/kubelet/pods/1/volumes/token",
        "/state/cluster/containerd/rootfs",
        "/state/cluster/with space",
    ]


def test_shim_sockets_are_named_as_containerd_names_them() -> None:
    # sha256("/c/containerd/containerd.sock/k8s.io/abc")
    socket = leftovers.shim_socket(Layout(root=Path("/c")), "abc")
    assert socket.parent == Path("/run/containerd/s")
    assert len(socket.name) == 64
