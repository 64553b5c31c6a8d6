"""Building the binaries with `go build`, one after another, resumable and safe to run twice at once.

A binary is built beside its final place and renamed, so a folder that exists is complete. Go's caches
belong to the toolchain alone: an interrupted build goes on where it was, and once every binary stands
they are removed, because they are thirty times as large as what they made.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

from toolchain import binaries, commands, disk
from toolchain.binaries import GO_FLAGS, MODULES, Binary, Companion
from toolchain.errors import MissingRequirement
from toolchain.folders import Folders
from toolchain.progress import Progress, Step

KEEP_VARIABLE = "TF_SERVING_PLATFORM_KEEP_BUILD_CACHE"
# The caches of a full build from nothing, measured: 12 GB compiled packages, 4 GB sources, 1 GB binaries and work files.
FULL_BUILD_BYTES = 20 * 10**9
OLDEST_GO = "1.26"


def build_missing(wanted: tuple[Binary, ...], folders: Folders, progress: Progress) -> None:
    """Build what is not there yet.

    Raises MissingRequirement without Go or disk space, UnreachableRegistry when modules cannot be fetched.
    """
    todo = binaries.missing(wanted, folders)
    if not todo:
        with progress.step("binaries") as step:
            step.note = f"{len(wanted)} of {len(wanted)} already built"
        return
    go = require_go()
    require_space(folders)
    for count, binary in enumerate(todo, start=1):
        with progress.step(f"build {binary.name} ({count} of {len(todo)})") as step:
            _build(go, binary, folders, step)


def remove_build_caches(folders: Folders, progress: Progress) -> None:
    """Give back the disk that only the compiler needed, unless the environment asks to keep it."""
    if not folders.build.exists() or os.environ.get(KEEP_VARIABLE) == "1":
        return
    with progress.step("remove build caches"):
        shutil.rmtree(folders.build)


def require_go() -> Path:
    """Return the Go command, which must be able to be, or to fetch, release 1.26."""
    go = shutil.which("go")
    if go is None:
        raise MissingRequirement(
            f"Go {OLDEST_GO} or newer is needed to build the Pulumi CLI and the local cluster, and there is no `go` on "
            "PATH; install it, or use your own with a `pulumi` on PATH and `bin/up --context NAME`"
        )
    answer = subprocess.run([go, "version"], cwd=MODULES / "kube", capture_output=True, text=True)
    if answer.returncode != 0:
        raise MissingRequirement(
            f"Go {OLDEST_GO} or newer is needed, and {go} cannot be: {answer.stderr.strip()}; install a newer Go"
        )
    return Path(go)


def require_space(folders: Folders) -> None:
    """Refuse to start a build that the disk cannot hold; an interrupted one needs only the rest."""
    needed_bytes = FULL_BUILD_BYTES - _size_bytes(folders.build)
    purpose = "building (for a while; under 1 GB stays)"
    disk.require_free(folders.build, needed_bytes, purpose=purpose, variable="XDG_CACHE_HOME")


def _size_bytes(folder: Path) -> int:
    listing = subprocess.run(["du", "-s", "-B1", folder], capture_output=True, text=True)
    return int(listing.stdout.split()[0]) if listing.stdout else 0


def _build(go: Path, binary: Binary, folders: Folders, step: Step) -> None:
    target = binaries.location(binary, folders)
    partial = target.parent.with_name(target.parent.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    sources = _sources(go, binary, folders)
    total = _fetch_sources(go, binary, sources, folders, step)
    compiled = 0

    def count(line: str) -> None:
        nonlocal compiled
        compiled += 1
        step.note = f"{compiled} of about {total} packages, now {line}"

    command: list[str | Path] = [
        go,
        "build",
        "-v",
        "-ldflags",
        binary.ldflags,
        "-o",
        partial / binary.name,
        binary.package,
    ]
    outcome = commands.stream(command, cwd=sources, env=go_environment(folders), on_line=count)
    commands.require(outcome, what=f"building {binary.name}", registry="the Go module proxy")
    for alias in binary.aliases:
        (partial / alias).symlink_to(binary.name)
    if binary.companion:
        _copy_companion(go, binary.companion, partial, folders)
    shutil.rmtree(target.parent, ignore_errors=True)
    partial.rename(target.parent)
    step.note = f"{target.stat().st_size / 1e6:.0f} MB"


def _copy_companion(go: Path, companion: Companion, target: Path, folders: Folders) -> None:
    source = module_folder(go, companion.go_module, MODULES / companion.module, folders) / companion.file
    copy = target / source.name
    shutil.copyfile(source, copy)
    copy.chmod(0o755)


def _sources(go: Path, binary: Binary, folders: Folders) -> Path:
    """Return the folder to build in: the module's own, or a copy of it with the command that it mends beside it."""
    module = MODULES / binary.module
    if binary.host is None:
        return module
    joined = folders.build / "joined" / binary.name
    shutil.rmtree(joined, ignore_errors=True)
    shutil.copytree(module, joined)
    source = module_folder(go, binary.host.go_module, module, folders) / binary.host.file
    shutil.copyfile(source, joined / source.name)
    return joined


def module_folder(go: Path, go_module: str, module: Path, folders: Folders) -> Path:
    """Return where a Go module lies, in the version that the go.mod of `module` pins, fetching it where needed."""
    answer = subprocess.run(
        [go, "mod", "download", "-json", go_module],
        cwd=module, env=go_environment(folders), capture_output=True, text=True,
    )  # fmt: skip
    outcome = commands.Outcome(
        code=answer.returncode, lines=tuple((answer.stdout + answer.stderr).splitlines())
    )
    commands.require(outcome, what=f"fetching {go_module}", registry="the Go module proxy")
    return Path(json.loads(answer.stdout)["Dir"])


def _fetch_sources(go: Path, binary: Binary, sources: Path, folders: Folders, step: Step) -> int:
    """Download what the package imports and return how many packages that is."""
    count = 0

    def read(line: str) -> None:
        nonlocal count
        if line.startswith("go: "):
            step.note = line.removeprefix("go: ")
        else:
            count += 1

    command: list[str | Path] = [go, "list", "-deps", binary.package]
    outcome = commands.stream(
        command,
        cwd=sources,
        env=go_environment(folders),
        on_line=read,
        keep=lambda line: " " in line,
    )
    commands.require(outcome, what=f"fetching the source of {binary.name}", registry="the Go module proxy")
    return count


def go_environment(folders: Folders) -> dict[str, str]:
    """Return the user's environment with the toolchain's own caches and flags: nothing of theirs is touched."""
    return os.environ | {
        "CGO_ENABLED": "0",
        "GOFLAGS": " ".join(GO_FLAGS),
        "GOMODCACHE": str(folders.build / "gomod"),
        "GOCACHE": str(folders.build / "gocache"),
        # A workspace of the user's that happens to contain the checkout must not change what is built.
        "GOWORK": "off",
    }
