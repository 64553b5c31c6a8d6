"""What a checkout says about itself is its commit, whether that is all there is, and what its locks are."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from notary import Material, materials_of

LOCK = Material(name="runtime.txt", digest={"sha256": hashlib.sha256(b"numpy==2\n").hexdigest()})


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    return subprocess.run(
        ["git", *who, "-C", folder, *words], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "runtime.txt").write_text("numpy==2\n")
    git(tmp_path, "add", "runtime.txt")
    git(tmp_path, "commit", "--quiet", "--message", "A lock")
    return tmp_path


def test_a_clean_checkout_is_its_commit(checkout: Path) -> None:
    source, lock = materials_of(checkout, ["runtime.txt"])
    assert source.digest == {"gitCommit": git(checkout, "rev-parse", "HEAD")}
    assert source.annotations == {"uncommittedChanges": False}
    assert lock == LOCK


def test_what_is_not_committed_is_owned_up_to(checkout: Path) -> None:
    (checkout / "runtime.txt").write_text("numpy==3\n")
    source, lock = materials_of(checkout, ["runtime.txt"])
    assert source.annotations == {"uncommittedChanges": True}
    assert lock != LOCK


def test_a_folder_without_history_names_its_locks_alone(tmp_path: Path) -> None:
    (tmp_path / "runtime.txt").write_text("numpy==2\n")
    assert list(materials_of(tmp_path, ["runtime.txt"])) == [LOCK]
