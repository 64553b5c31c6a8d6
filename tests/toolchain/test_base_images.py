"""A base image holds nothing of its making: two trees that differ only in when they were made are one archive."""

import hashlib
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from toolchain import base_images

BEGAN = 2_000_000_000
PACKAGED = 1_700_000_000
EPOCH = base_images.EPOCH_SECONDS


def tree_made_at(where: Path, seconds: int) -> Path:
    """A tree with one file of a package, and one file, folder and link that the making left at that time."""
    (where / "usr/lib").mkdir(parents=True)
    (where / "usr/lib/os.py").write_text("packaged")
    (where / "usr/lib/ld.so.cache").write_text("generated")
    (where / "lib").symlink_to("usr/lib")
    for path in (where, *where.rglob("*")):
        os.utime(path, (seconds, seconds), follow_symlinks=False)
    os.utime(where / "usr/lib/os.py", (PACKAGED, PACKAGED))
    return where


def archive_of(tree: Path) -> str:
    packed = tree.with_suffix(".tar")
    subprocess.run(
        ["tar", "--create", "--sort=name", f"--directory={tree}", f"--file={packed}", "."], check=True
    )
    return hashlib.sha256(packed.read_bytes()).hexdigest()


@pytest.fixture
def trees(tmp_path: Path) -> list[Path]:
    return [
        tree_made_at(tmp_path / "first", BEGAN),
        tree_made_at(tmp_path / "second", BEGAN + 86_400),
    ]


def test_two_makings_of_the_same_packages_are_one_archive(trees: list[Path]) -> None:
    assert archive_of(trees[0]) != archive_of(trees[1])
    for tree in trees:
        base_images.forget_the_making(tree, since=BEGAN)
    assert archive_of(trees[0]) == archive_of(trees[1])


def test_files_of_packages_keep_the_time_that_compiled_python_names(trees: list[Path]) -> None:
    base_images.forget_the_making(trees[0], since=BEGAN)
    with tarfile.open(trees[0].with_suffix(".tar"), "w") as packed:
        packed.add(trees[0], arcname=".")
        times = {member.name: member.mtime for member in packed}
    assert times == {
        ".": EPOCH,
        "./lib": EPOCH,
        "./usr": EPOCH,
        "./usr/lib": EPOCH,
        "./usr/lib/ld.so.cache": EPOCH,
        "./usr/lib/os.py": PACKAGED,
    }
