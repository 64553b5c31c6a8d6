"""Where and with what it was measured: a number without its machine and its versions is a rumour."""

import os
import platform
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from toolchain.folders import CHECKOUT

# Of each lock the packages whose version says something about a ratio.
TELLING = (
    "bentoml", "fastapi", "grpcio", "httptools", "httpx", "litserve", "mlserver", "numpy", "orjson", "protobuf", "pydantic",
    "pysimdjson", "tensorflow-cpu", "uvicorn", "uvloop",
)  # fmt: skip


def describe() -> dict[str, Any]:
    """Processor, cores, memory, kernel, Python, and how busy the machine was with other work."""
    information = Path("/proc/cpuinfo").read_text()
    processor = re.search(r"^model name\s*: (.*)$", information, flags=re.MULTILINE)
    return {
        "processor": processor[1] if processor else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_average": os.getloadavg()[0],
    }


def versions(environments: Iterable[str]) -> dict[str, str]:
    """What the locks of these environments pin, as `environment package` -> version, and the load generators."""
    found: dict[str, str] = {}
    for name in sorted({each or "serving" for each in environments}):
        found |= {
            f"{name} {package}": version
            for package, version in pinned((CHECKOUT / "requirements" / f"{name}.txt").read_text()).items()
        }
    return found | _tools()


def pinned(lock: str) -> dict[str, str]:
    """Package -> version of a lock, the telling ones only."""
    pins = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)", lock, flags=re.MULTILINE)
    return {name: version for name, version in pins if name in TELLING}


def commit() -> str:
    """The commit that was measured, with `+` where the tree differs from it; empty outside of git."""
    outcome = subprocess.run(
        ["git", "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"], cwd=CHECKOUT, capture_output=True, text=True
    )  # fmt: skip
    return outcome.stdout.strip()


def _tools() -> dict[str, str]:
    query = [
        "dpkg-query",
        "--show",
        "--showformat=${Package} ${Version}\n",
        "wrk",
        "nghttp2-client",
        "nginx-light",
    ]
    try:
        listed = subprocess.run(query, capture_output=True, text=True).stdout
    except FileNotFoundError:
        return {}
    return dict(line.split(" ", 1) for line in listed.splitlines() if " " in line)
