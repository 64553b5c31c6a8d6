"""What a served model needs of Debian: the files of these packages and nothing else.

No package manager, no shell tools, no account that can log in. The packages' records are kept in
/var/lib/dpkg/status.d, where vulnerability scanners look for them in images of this kind.
"""

import shutil
import subprocess
from pathlib import Path

from toolchain.errors import BuildFailed

PACKAGES = (
    "base-files", "netbase", "media-types", "tzdata", "ca-certificates", "tini", "dash",
    "libc6", "libgcc-s1", "gcc-12-base", "libstdc++6", "libcrypt1", "zlib1g", "libbz2-1.0", "liblzma5", "libexpat1",
    "libffi8", "libssl3", "libuuid1", "libsqlite3-0", "libtinfo6", "libncursesw6", "libreadline8", "readline-common",
    "python3", "python3-minimal", "libpython3-stdlib", "python3.11", "python3.11-minimal", "libpython3.11-minimal",
    "libpython3.11-stdlib",
)  # fmt: skip
# Character sets that Python never asks for, second and third forms of the time zones, documentation but licences.
DROPPED = (
    "usr/lib/x86_64-linux-gnu/gconv", "usr/share/zoneinfo/right", "usr/share/zoneinfo/posix", "usr/share/locale",
    "usr/share/man", "usr/share/info", "usr/share/ca-certificates", "usr/share/lintian", "usr/share/bug",
)  # fmt: skip
MERGED = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}
ACCOUNTS = {
    "etc/passwd": "root:x:0:0:root:/root:/usr/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/usr/sbin/nologin\n",
    "etc/group": "root:x:0:\nnonroot:x:65532:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
# Modules whose C half lives in another package: importing them shows that no library is missing.
PROOF = "import bz2, ctypes, lzma, readline, sqlite3, ssl, uuid, zlib, asyncio, http.client, zoneinfo"


def select(tree: Path, target: Path, *, authorities: Path) -> None:
    """Copy the packages' files from a complete tree. Raises BuildFailed when Python would not start there."""
    target.mkdir()
    for link, destination in MERGED.items():
        (target / destination).mkdir(parents=True, exist_ok=True)
        (target / link).symlink_to(destination)
    for package in PACKAGES:
        _copy_package(package, tree, target)
    _copy_generated(tree, target)
    (target / "etc/ssl/certs").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(authorities, target / "etc/ssl/certs/ca-certificates.crt")
    for name in DROPPED:
        shutil.rmtree(target / name, ignore_errors=True)
    for name, text in ACCOUNTS.items():
        (target / name).write_text(text)
    for name, mode in (
        ("tmp", 0o1777),
        ("proc", 0o755),
        ("sys", 0o755),
        ("dev", 0o755),
        ("home/nonroot", 0o755),
    ):
        (target / name).mkdir(parents=True, exist_ok=True)
        (target / name).chmod(mode)
    proof = subprocess.run(
        ["chroot", target, "/usr/bin/python3", "-c", PROOF], capture_output=True, text=True
    )
    if proof.returncode != 0:
        raise BuildFailed(
            f"the runtime base image lacks a library: {proof.stderr.strip()}; add its package to PACKAGES"
        )


def _copy_package(package: str, tree: Path, target: Path) -> None:
    info = tree / "var/lib/dpkg/info"
    listing = next(
        (path for path in (info / f"{package}.list", info / f"{package}:amd64.list") if path.exists()), None
    )
    if listing is None:
        raise BuildFailed(
            f"package {package} is not in the Debian tree; correct PACKAGES in {Path(__file__).name}"
        )
    for line in listing.read_text().splitlines():
        if not _is_documentation(line):
            _copy(line.lstrip("/"), tree, target)
    record = subprocess.run(
        ["chroot", tree, "dpkg-query", "--status", package], capture_output=True, text=True
    ).stdout
    (target / "var/lib/dpkg/status.d").mkdir(parents=True, exist_ok=True)
    (target / "var/lib/dpkg/status.d" / package).write_text(record)


def _copy_generated(tree: Path, target: Path) -> None:
    """Copy what packages make when they are configured: compiled Python and the linker's cache."""
    for folder in (tree / "usr/lib").glob("python3*/**/__pycache__"):
        relative = folder.relative_to(tree)
        # Only beside sources that were selected, so that no package of the builder slips in.
        if (target / relative.parent).is_dir():
            shutil.copytree(folder, target / relative, symlinks=True, dirs_exist_ok=True)
    subprocess.run(["ldconfig", "-r", target], check=True)
    # It also notes the inodes of this disk for its next run: another making would differ, and there is no next run.
    shutil.rmtree(target / "var/cache/ldconfig")


def _copy(name: str, tree: Path, target: Path) -> None:
    source, copy = tree / name, target / name
    if source.is_symlink() or source.is_file():
        copy.parent.mkdir(parents=True, exist_ok=True)
        if not (copy.exists() or copy.is_symlink()):
            shutil.copy2(source, copy, follow_symlinks=False)
    elif source.is_dir():
        copy.mkdir(parents=True, exist_ok=True)
        shutil.copystat(source, copy)


def _is_documentation(name: str) -> bool:
    return name.startswith("/usr/share/doc/") and not name.endswith("/copyright")
