"""Base images for machines that reach no container registry, made from Debian packages.

Two layers come out of one debootstrap tree. `debian-builder` is the whole tree with this machine's package
settings, so that `pip install` and `apt-get install` work inside image builds; it never leaves the machine.
`debian` is what a served model runs on: the files of a short list of packages, without a package manager or
shell tools, in the manner of distroless images (docs/adr/0005). Both are archives in the cache, keyed by
what they were made from, and are pushed by `bin/cluster up`. The same packages give the same archives, to the
last bit: what making them left in the tree carries neither its time nor its inodes.
"""

import hashlib
import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from toolchain import commands, disk, mounts, pip_settings, runtime_files
from toolchain.errors import BuildFailed, MissingRequirement
from toolchain.folders import PRODUCT, Folders
from toolchain.progress import Progress, Step
from toolchain.registry_client import Image

FORMAT = 2
WORK_BYTES = 10**9
EPOCH_SECONDS = 1735689600
"""Time stamp of whatever no package brought: 2025-01-01."""
SUITE = "bookworm"
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
BUILDER_PACKAGES = (
    "python3", "python3-venv", "python3-pip", "libstdc++6", "binutils", "tini", "ca-certificates", "tzdata", "netbase",
    "media-types",
)  # fmt: skip
SEARCH_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NOT_NEEDED = (
    "var/cache/apt",
    "var/cache/ldconfig",
    "var/lib/apt/lists",
    "var/log",
    "usr/share/locale",
    "usr/share/man",
    "usr/share/info",
    "tmp",
)


@dataclass(frozen=True, kw_only=True)
class BaseImage:
    """One image and where it goes in the cluster's registry."""

    name: str
    repository: str
    tag: str = SUITE


RUNTIME = BaseImage(name="runtime", repository=f"{PRODUCT}/debian")
BUILDER = BaseImage(name="builder", repository=f"{PRODUCT}/debian-builder")
BASE_IMAGES = (RUNTIME, BUILDER)


def key() -> str:
    """Return twelve hexadecimal digits that change with the recipe or with this machine's package settings."""
    authorities = AUTHORITIES.read_bytes() if AUTHORITIES.exists() else b""
    recipe = [
        FORMAT,
        SUITE,
        BUILDER_PACKAGES,
        runtime_files.PACKAGES,
        runtime_files.DROPPED,
        pip_settings.text(),
    ]
    digest = hashlib.sha256(json.dumps(recipe).encode())
    digest.update(hashlib.sha256(authorities).digest())
    return digest.hexdigest()[:12]


def location(folders: Folders) -> Path:
    """Return the folder of the archives, whether or not it stands yet."""
    return folders.binaries / f"base-images-{key()}"


def read(image: BaseImage, folders: Folders) -> Image | None:
    """Return an image from the cache, ready to push; None where it has not been made."""
    archive = location(folders) / f"{image.name}.tar.gz"
    if not archive.exists():
        return None
    return Image(
        layer=archive.read_bytes(),
        diff_id=archive.with_suffix(".diff-id").read_text(),
        environment=(SEARCH_PATH, "LANG=C.UTF-8"),
        labels={"org.opencontainers.image.base.name": f"debian:{SUITE}"},
    )


def make(folders: Folders, progress: Progress) -> None:
    """Make both archives unless they stand. Raises UnreachableRegistry without the Debian archive."""
    with progress.step("base images") as step:
        target = location(folders)
        if target.exists():
            step.note = "already made"
            return
        if os.geteuid() != 0:
            raise MissingRequirement(
                "root is needed to make the base images with debootstrap; run `sudo bin/setup` once"
            )
        disk.require_free(target, WORK_BYTES, purpose="making the base images", variable="XDG_CACHE_HOME")
        partial = target.with_name(target.name + ".partial")
        mounts.remove_tree(partial)
        partial.mkdir(parents=True)
        tree, began = partial / "tree", time.time()
        _install(tree, step)
        _configure(tree, debian_authorities=partial / "authorities.crt")
        step.note = "pack the builder"
        forget_the_making(tree, since=began)
        sizes = {"builder": _pack(tree, partial / "builder.tar.gz")}
        step.note = "select the runtime"
        runtime_files.select(tree, partial / "runtime", authorities=partial / "authorities.crt")
        forget_the_making(partial / "runtime", since=began)
        sizes["runtime"] = _pack(partial / "runtime", partial / "runtime.tar.gz")
        mounts.remove_tree(tree)
        mounts.remove_tree(partial / "runtime")
        partial.rename(target)
        step.note = ", ".join(f"{name} {size / 1e6:.0f} MB to pull" for name, size in sizes.items())


def _install(tree: Path, step: Step) -> None:
    def note(line: str) -> None:
        step.note = line.removeprefix("I: ")[:80]

    include = f"--include={','.join(BUILDER_PACKAGES)}"
    command: list[str | Path] = ["debootstrap", "--variant=minbase", include, SUITE, tree, debian_mirror()]
    # The tools that make accounts write the day of it into /etc/shadow, and take it from this variable.
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(EPOCH_SECONDS)}
    outcome = commands.stream(command, on_line=note, env=environment)
    commands.require(outcome, what="debootstrap of the base images", registry="the Debian archive")


def debian_mirror() -> str:
    """Return the archive that this machine's own apt uses for the suite."""
    question = ["apt-get", "indextargets", "--format", "$(REPO_URI)", f"Codename: {SUITE}", "Component: main"]
    answer = subprocess.run(
        [*question, "Created-By: Packages"], capture_output=True, text=True
    ).stdout.split()
    if not answer:
        raise BuildFailed(
            f"the base images are made from Debian {SUITE}, and apt on this machine has no such source; add one to "
            "/etc/apt/sources.list.d, or set the base image of a registry you can reach in the stack's configuration"
        )
    return answer[0]


def _configure(tree: Path, *, debian_authorities: Path) -> None:
    """Give the builder this machine's trust and package settings, and take out what an image never needs."""
    for name in NOT_NEEDED:
        shutil.rmtree(tree / name, ignore_errors=True)
        (tree / name).mkdir(parents=True, exist_ok=True)
    (tree / "tmp").chmod(0o1777)
    for variable in ("etc/resolv.conf", "etc/hostname"):
        (tree / variable).unlink(missing_ok=True)
    # The runtime keeps Debian's own authorities; only builds on this machine see this machine's.
    shutil.copyfile(tree / AUTHORITIES.relative_to("/"), debian_authorities)
    if AUTHORITIES.exists():
        shutil.copyfile(AUTHORITIES, tree / AUTHORITIES.relative_to("/"))
    (tree / "etc/pip.conf").write_text(pip_settings.text())


def forget_the_making(tree: Path, *, since: float) -> None:
    """Give everything that changed in `tree` since that moment one time stamp.

    Files of packages keep theirs: compiled Python names the time of its source, and would be thrown away beside another.
    """
    for path in (tree, *tree.rglob("*")):
        if path.lstat().st_mtime >= since:
            os.utime(path, (EPOCH_SECONDS, EPOCH_SECONDS), follow_symlinks=False)


def _pack(tree: Path, archive: Path) -> int:
    """Write tree as .tar.gz with its uncompressed digest beside it; return the compressed size in bytes."""
    digest = hashlib.sha256()
    command = [
        "tar",
        "--create",
        "--numeric-owner",
        "--sort=name",
        "--one-file-system",
        f"--directory={tree}",
        ".",
    ]
    with (
        archive.open("wb") as target,
        subprocess.Popen(command, stdout=subprocess.PIPE) as tar,
        subprocess.Popen(["gzip", "-6", "--no-name"], stdin=subprocess.PIPE, stdout=target) as gzip,
    ):
        assert tar.stdout is not None
        assert gzip.stdin is not None
        while chunk := tar.stdout.read(1 << 20):
            digest.update(chunk)
            gzip.stdin.write(chunk)
        gzip.stdin.close()
    if tar.returncode or gzip.returncode:
        raise BuildFailed(f"packing {tree} failed; is the disk full?")
    archive.with_suffix(".diff-id").write_text(f"sha256:{digest.hexdigest()}")
    return archive.stat().st_size
