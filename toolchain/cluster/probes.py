"""Signs of life: does a socket accept, does an address answer, is the API server ready."""

import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

PROBE_SECONDS = 1.0


def accepts(address: tuple[str, int] | Path) -> bool:
    """Say whether a TCP or unix socket accepts a connection."""
    family = socket.AF_UNIX if isinstance(address, Path) else socket.AF_INET
    target: str | tuple[str, int] = str(address) if isinstance(address, Path) else address
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_SECONDS)
        return probe.connect_ex(target) == 0


def answers(url: str) -> bool:
    """Say whether an HTTP address answers 200, without any proxy in between."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=PROBE_SECONDS) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def api_is_ready(kubectl: Path, kubeconfig: Path) -> bool:
    """Say whether the API server has finished its start-up hooks."""
    command = [str(kubectl), f"--kubeconfig={kubeconfig}", "get", "--raw", "/readyz"]
    return subprocess.run(command, capture_output=True).returncode == 0
