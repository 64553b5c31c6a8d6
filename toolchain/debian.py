"""The parts that come from Debian: container runtime, key-value store, registry, packet filter.

They are installed as files only. Some packages bring units that would start at once and take the very
ports the cluster wants, so service starts are refused by a policy of dpkg's own kind while apt runs.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from toolchain import commands
from toolchain.errors import MissingRequirement
from toolchain.progress import Progress

# Package -> a file that shows it is there: asking the disk takes a millisecond, asking dpkg a second.
PACKAGES = {
    "containerd": "/usr/bin/containerd",
    "runc": "/usr/sbin/runc",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "etcd-server": "/usr/bin/etcd",
    "docker-registry": "/usr/bin/docker-registry",
    "iptables": "/usr/sbin/iptables",
    "iproute2": "/usr/sbin/ip",
    "conntrack": "/usr/sbin/conntrack",
    "debootstrap": "/usr/sbin/debootstrap",
    "openssl": "/usr/bin/openssl",
    "python3-venv": "/usr/share/doc/python3-venv",
    "ca-certificates": "/usr/sbin/update-ca-certificates",
}
# What building images needs by itself, next to a cluster that the user brings.
BUILDER_PACKAGES = {name: PACKAGES[name] for name in ("runc", "python3-venv", "ca-certificates")}
# What tests open the console in. 124 MB to fetch and 414 MB on disk, so only who runs the tests gets it.
BROWSER_PACKAGES = {
    "chromium": "/usr/bin/chromium",
    "fonts-dejavu-core": "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
}
# What tests run programs in TypeScript with; a Node of the user's own will do as well.
NODE_PACKAGES = {"nodejs": "/usr/bin/node", "npm": "/usr/bin/npm"}
POLICY = Path("/usr/sbin/policy-rc.d")


def missing_packages(packages: Mapping[str, str], root: Path = Path("/")) -> list[str]:
    """Return the packages whose telling file is absent."""
    return [package for package, file in packages.items() if not (root / file.lstrip("/")).exists()]


def install_missing(progress: Progress, packages: Mapping[str, str]) -> None:
    """Install what is missing, without starting any service of it.

    Raises MissingRequirement where apt or root is lacking.
    """
    with progress.step("Debian packages") as step:
        wanted = missing_packages(packages)
        if not wanted:
            step.note = "all there"
            return
        require_apt(wanted)
        step.note = "update lists"
        outcome = commands.stream(
            ["apt-get", "-q", "update"], on_line=lambda line: setattr(step, "note", line[:80])
        )
        commands.require(outcome, what="apt-get update", registry="the Debian archive")
        with services_held_back():
            outcome = commands.stream(
                ["apt-get", "-q", "install", "--yes", "--no-install-recommends", *wanted],
                env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
                on_line=lambda line: setattr(step, "note", line[:80]),
            )
        commands.require(outcome, what=f"installing {', '.join(wanted)}", registry="the Debian archive")
        step.note = f"installed {', '.join(wanted)}"


def require_apt(wanted: list[str]) -> None:
    """Explain, in one sentence, what to do where packages are missing and cannot be installed."""
    names = " ".join(wanted)
    if shutil.which("apt-get") is None:
        raise MissingRequirement(
            f"the local cluster is made of Debian packages ({names}), and this machine has no apt-get; use your own "
            "cluster with `bin/up --context NAME --registry HOST`"
        )
    if os.geteuid() != 0:
        raise MissingRequirement(
            f"root is needed to install {names}; run `sudo apt-get install {names}` and start again, or use your own "
            "cluster with `bin/up --context NAME --registry HOST`"
        )


@contextmanager
def services_held_back() -> Iterator[None]:
    """Refuse service starts while packages are installed (invoke-rc.d's policy-rc.d, exit code 101)."""
    if POLICY.exists():
        yield
        disable_units()
        return
    with tempfile.NamedTemporaryFile("w", dir=POLICY.parent, delete=False) as draft:
        draft.write("#!/bin/sh\nexit 101\n")
    Path(draft.name).chmod(0o755)
    Path(draft.name).rename(POLICY)
    try:
        yield
    finally:
        POLICY.unlink()
    disable_units()


def disable_units() -> None:
    """Keep the units from starting at the next boot, where systemd runs: they would take our ports."""
    if Path("/run/systemd/system").exists():
        for unit in ("etcd", "docker-registry"):
            subprocess.run(["systemctl", "disable", "--now", unit], capture_output=True, check=False)
