"""What a whole command costs: CPU seconds and peak memory of it and of everything that it started.

CPU time, because wall time on a shared machine tells of the neighbours (docs/adr/0040). Memory is the largest sum of high-water
marks of processes that live at the same time: never less than what the family really held, since shared pages count twice.
"""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import cpu
from bench.errors import BenchError
from toolchain.folders import CHECKOUT

SAMPLE_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one command, its children included."""

    cpu_seconds: float
    peak_bytes: float


def run_measured(words: Sequence[str]) -> Cost:
    """Run a program of this checkout. Raises BenchError, with its last line, when it fails."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            words, cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True
        )
        peak_bytes = 0
        while (ended := os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is None:
            peak_bytes = max(peak_bytes, sum(map(high_water_bytes, _family(process.pid))))
            time.sleep(SAMPLE_SECONDS)
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = ended.si_status
        if ended.si_status != 0:
            errors.seek(0)
            last = (errors.read().decode(errors="replace").strip().splitlines() or ["nothing"])[-1]
            raise BenchError(f"`{' '.join(words[1:4])} …` ended with {ended.si_status}: {last}")
    return Cost(
        cpu_seconds=usage.ru_utime + usage.ru_stime, peak_bytes=max(peak_bytes, usage.ru_maxrss * 1024)
    )


def high_water_bytes(pid: int) -> int:
    """The most that a process ever held in memory; 0 of one that is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, flags=re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _family(root: int) -> frozenset[int]:
    return cpu.family(root, cpu.read_table())
