from pathlib import Path

from toolchain.cluster import leftovers
from toolchain.cluster.layout import Layout


def test_shim_sockets_are_named_as_containerd_names_them() -> None:
    # sha256("/c/containerd/containerd.sock/k8s.io/abc")
    socket = leftovers.shim_socket(Layout(root=Path("/c")), "abc")
    assert socket.parent == Path("/run/containerd/s")
    assert len(socket.name) == 64
