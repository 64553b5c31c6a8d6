from pathlib import Path

from toolchain import mounts

MOUNTINFO = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:30 / /state/cluster/containerd/rootfs rw - overlay overlay rw
31 22 0:31 / /state/cluster/kubelet/pods/1/volumes/token rw - tmpfs tmpfs rw
32 22 0:32 / /state/cluster-of-another rw - tmpfs tmpfs rw
33 22 0:33 / /state/cluster/with\\040space rw - tmpfs tmpfs rw
34 22 0:34 / /state/cluster rw - tmpfs tmpfs rw
"""


def test_only_mounts_below_the_root_are_ours_and_the_deepest_come_first() -> None:
    assert mounts.below(Path("/state/cluster"), MOUNTINFO) == [
        "/state/cluster/kubelet/pods/1/volumes/token",
        "/state/cluster/containerd/rootfs",
        "/state/cluster/with space",
    ]


def test_a_tree_without_mounts_is_removed(tmp_path: Path) -> None:
    (tmp_path / "tree" / "deep").mkdir(parents=True)
    mounts.remove_tree(tmp_path / "tree")
    mounts.remove_tree(tmp_path / "tree")
    assert not (tmp_path / "tree").exists()
