"""Two virtual environments, each keyed by the locks it was installed from.

`deploy` holds what `pulumi` imports and no TensorFlow; `dev` holds everything, for exporting, testing and
developing. Locks are installed one after another with hashes and without dependency resolution: what is
not in a lock is not installed.
"""

import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from toolchain import commands, disk
from toolchain.errors import MissingRequirement
from toolchain.folders import CHECKOUT, Folders
from toolchain.progress import Progress, Step

REQUIREMENTS = CHECKOUT / "requirements"
PYTHON_RELEASE = "3.11"
COMPLETE = "complete"
ENVIRONMENT_BYTES = 4 * 10**9  # TensorFlow, its wheel while it is unpacked, and the rest


@dataclass(frozen=True, kw_only=True)
class VirtualEnvironment:
    """A named environment and the locks it is made of, in order of installation."""

    name: str
    locks: tuple[str, ...]


DEPLOY = VirtualEnvironment(name="deploy", locks=("deploy", "policy"))
DEV = VirtualEnvironment(name="dev", locks=("deploy", "export", "serving", "dev", "bare"))


def key(environment: VirtualEnvironment, requirements: Path = REQUIREMENTS) -> str:
    """Return twelve hexadecimal digits that change when a lock or the Python release does."""
    digest = hashlib.sha256(PYTHON_RELEASE.encode())
    for lock in environment.locks:
        digest.update(hashlib.sha256((requirements / f"{lock}.txt").read_bytes()).digest())
    return digest.hexdigest()[:12]


def location(environment: VirtualEnvironment, folders: Folders, requirements: Path = REQUIREMENTS) -> Path:
    """Return the folder of the environment, whether or not it stands yet."""
    return folders.binaries / f"venv-{environment.name}-{key(environment, requirements)}"


def is_complete(environment: VirtualEnvironment, folders: Folders) -> bool:
    """Say whether every lock of the environment has been installed."""
    return (location(environment, folders) / COMPLETE).exists()


def make(environment: VirtualEnvironment, folders: Folders, progress: Progress) -> None:
    """Create the environment unless it stands. Half-made ones are started again."""
    with progress.step(f"virtual environment {environment.name}") as step:
        folder = location(environment, folders)
        if is_complete(environment, folders):
            step.note = "already there"
            return
        disk.require_free(folder, ENVIRONMENT_BYTES, purpose="installing packages", variable="XDG_CACHE_HOME")
        shutil.rmtree(folder, ignore_errors=True)
        outcome = commands.stream([find_python(), "-m", "venv", folder])
        commands.require(outcome, what=f"creating {folder}")
        for lock in environment.locks:
            _install(folder, lock, step)
        (folder / COMPLETE).touch()
        step.note = f"{len(environment.locks)} locks installed"


def _install(folder: Path, lock: str, step: Step) -> None:
    def note(line: str) -> None:
        step.note = f"{lock}: {line.strip()[:80]}"

    pip: list[str | Path] = [
        folder / "bin" / "python",
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--no-deps",
    ]
    outcome = commands.stream([*pip, "--require-hashes", "-r", REQUIREMENTS / f"{lock}.txt"], on_line=note)
    commands.require(outcome, what=f"installing requirements/{lock}.txt", registry="the Python package index")


def find_python() -> str:
    """Return a Python of the release that the locks were made for.

    Raises MissingRequirement when there is none.
    """
    if f"{sys.version_info.major}.{sys.version_info.minor}" == PYTHON_RELEASE:
        return sys.executable
    for candidate in (f"python{PYTHON_RELEASE}", "/usr/bin/python3"):
        path = shutil.which(candidate)
        if path and _release(path) == PYTHON_RELEASE:
            return path
    raise MissingRequirement(
        f"Python {PYTHON_RELEASE} is needed, because the locks in requirements/ were made for it, and none was found on "
        "PATH; install it (Debian 12 has it as `python3`)"
    )


def _release(python: str) -> str:
    code = "import sys; print(f'{sys.version_info.major}.{sys.version_info.minor}')"
    return subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip()
