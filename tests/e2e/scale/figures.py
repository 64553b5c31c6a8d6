"""What the control plane needs: memory and CPU of its processes from /proc, requests from the API server's own counters."""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.commands import run

WATCHED = ("apiserver", "etcd", "controller-manager", "scheduler", "kwok")
MIB = 2**20


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One look at the control plane."""

    seconds: float
    rss_mib: dict[str, int]
    cpu_seconds: dict[str, float]
    requests: float
    lease_writes: float


def read(pids: dict[str, int]) -> Reading:
    counters = run("bin/cluster", "kubectl", "get", "--raw", "/metrics").stdout
    served = [line for line in counters.splitlines() if line.startswith("apiserver_request_total{")]
    leases = [line for line in served if 'resource="leases"' in line and 'verb="PUT"' in line]
    return Reading(
        seconds=time.monotonic(),
        rss_mib={name: _rss_mib(pid) for name, pid in pids.items() if name in WATCHED},
        cpu_seconds={name: _cpu_seconds(pid) for name, pid in pids.items() if name in WATCHED},
        requests=sum(float(line.rsplit(" ", 1)[1]) for line in served),
        lease_writes=sum(float(line.rsplit(" ", 1)[1]) for line in leases),
    )


def between(first: Reading, last: Reading) -> dict[str, float]:
    """Return rates over the time between two readings: requests and lease writes a second, cores of each process."""
    seconds = last.seconds - first.seconds
    return {
        "seconds": round(seconds, 1),
        "requests_per_second": round((last.requests - first.requests) / seconds, 1),
        "lease_writes_per_second": round((last.lease_writes - first.lease_writes) / seconds, 1),
        **{
            f"cores_{name}": round((last.cpu_seconds[name] - first.cpu_seconds[name]) / seconds, 3)
            for name in last.cpu_seconds
        },
    }


def _rss_mib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024 // MIB


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
