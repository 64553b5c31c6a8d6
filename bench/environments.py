"""What the bench needs on the machine, made on first use: peers' environments, load generators, the container's files.

Each peer lives in an environment of its own, made from `requirements/bench-NAME.txt` and keyed by that lock (the same
code that makes the project's own environments). Load generators and nginx come from Debian as files; no service of
theirs is started.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from bench.errors import MissingTool
from toolchain import debian, virtualenvs
from toolchain.errors import ToolchainError
from toolchain.folders import CHECKOUT, Folders
from toolchain.progress import Progress
from toolchain.virtualenvs import VirtualEnvironment

TOOLS = {
    "wrk": "/usr/bin/wrk",
    "nghttp2-client": "/usr/bin/h2load",
    "nginx-light": "/usr/sbin/nginx",
    "util-linux": "/usr/bin/taskset",
}
# tensorflow-serving-api's classes are in bare.txt, locked without the second TensorFlow that it asks for.
_MORE_LOCKS = {"bench-grpc": ("bare",)}
RUNTIME = "runtime"


class Environments:
    """The Python of each environment; an environment that is missing is made when it is asked for."""

    def __init__(self, folders: Folders, progress: Progress) -> None:
        self._folders = folders
        self._progress = progress

    def python(self, name: str) -> Path:
        """The interpreter of the environment of the lock `name`; "" is the one that runs the bench.

        Raises MissingTool when it cannot be installed.
        """
        if not name:
            return Path(sys.executable)
        environment = _environment(name)
        try:
            if not virtualenvs.is_complete(environment, self._folders):
                virtualenvs.make(environment, self._folders, self._progress)
        except ToolchainError as error:
            raise MissingTool(f"{name} cannot be installed: {error}") from error
        if name == RUNTIME:
            self._add_tensorflow_libraries(virtualenvs.location(environment, self._folders))
        return virtualenvs.location(environment, self._folders) / "bin" / "python"

    def install_tools(self) -> None:
        """Install what is missing of `TOOLS`. Raises MissingTool where apt or root is lacking."""
        missing = debian.missing_packages(TOOLS)
        if not missing:
            return
        if shutil.which("apt-get") is None or os.geteuid() != 0:
            names = " ".join(missing)
            raise MissingTool(f"the bench needs {names}; install them, e.g. `sudo apt-get install {names}`")
        self._progress.say(f"  installing {', '.join(missing)} from Debian, without starting a service")
        try:
            debian.install_missing(self._progress, TOOLS)
        except ToolchainError as error:
            raise MissingTool(str(error)) from error

    def _add_tensorflow_libraries(self, folder: Path) -> None:
        """What images/Dockerfile does: two libraries and the protocol classes instead of the TensorFlow package."""
        lock = hashlib.sha256((CHECKOUT / "requirements" / "serving.txt").read_bytes()).hexdigest()[:12]
        mark = folder / f"tensorflow-{lock}"
        if mark.exists():
            return
        with self._progress.step("the container's files") as step:
            (target,) = folder.glob("lib/python3.*/site-packages")
            (source,) = Path(sys.prefix).glob("lib/python3.*/site-packages")
            copy = ["-m", "serving.runtime_files", f"--site-packages={source}", f"--target={target}"]
            outcome = subprocess.run([sys.executable, *copy], cwd=CHECKOUT, capture_output=True, text=True)
            if outcome.returncode:
                raise MissingTool(f"the container's files cannot be copied: {outcome.stderr.strip()[-400:]}")
            mark.touch()
            step.note = str(target)


def _environment(name: str) -> VirtualEnvironment:
    return VirtualEnvironment(name=name, locks=(name, *_MORE_LOCKS.get(name, ())))
