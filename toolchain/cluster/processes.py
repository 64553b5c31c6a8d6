"""Starting and ending processes, and telling ours from a stranger that got the same pid later.

Processes are started in sessions of their own, with their output in a log file, and outlive the command
that started them. Ending is by recorded pid and start time only, never by name.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from toolchain.cluster.state import ProcessRecord

POLL_SECONDS = 0.05


def boot_id() -> str:
    """Return the kernel's name for this boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def start_ticks(pid: int) -> int | None:
    """Return when the process was started, or None when it is gone or only a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field, the name, may hold spaces and parentheses: count from its last parenthesis.
    fields = stat.rpartition(")")[2].split()
    state, ticks = fields[0], fields[19]
    return None if state in "ZX" else int(ticks)


def is_alive(record: ProcessRecord) -> bool:
    """Say whether exactly the recorded process still runs."""
    return record.boot_id == boot_id() and start_ticks(record.pid) == record.start_ticks


def start(command: Iterable[str], *, log: Path, cwd: Path, env: Mapping[str, str]) -> ProcessRecord:
    """Start a process that outlives this one, its output appended to the log."""
    words = tuple(command)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            words, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    ticks = start_ticks(process.pid)
    # It runs on without us on purpose; telling Python so keeps its destructor quiet.
    process.returncode = 0
    return ProcessRecord(pid=process.pid, start_ticks=ticks or 0, command=words, boot_id=boot_id())


def stop(records: Iterable[ProcessRecord], *, grace_seconds: float) -> None:
    """Ask the processes to end, wait, and kill those that stay."""
    alive = [record for record in records if is_alive(record)]
    _signal(alive, signal.SIGTERM)
    alive = wait_until_gone(alive, grace_seconds)
    _signal(alive, signal.SIGKILL)
    wait_until_gone(alive, grace_seconds)


def wait_until_gone(records: list[ProcessRecord], seconds: float) -> list[ProcessRecord]:
    """Wait until the processes are gone or the time is over; return those still alive."""
    deadline = time.monotonic() + seconds
    while records and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        records = [record for record in records if is_alive(record)]
    return records


def kill_pids(pids: Iterable[int], *, seconds: float) -> None:
    """Kill processes that were identified otherwise (our control group, our socket) and wait for their end."""
    records = [
        ProcessRecord(pid=pid, start_ticks=ticks, command=(), boot_id=boot_id())
        for pid in pids
        if (ticks := start_ticks(pid)) is not None
    ]
    _signal(records, signal.SIGKILL)
    wait_until_gone(records, seconds)


def _signal(records: Iterable[ProcessRecord], number: signal.Signals) -> None:
    for record in records:
        try:
            os.kill(record.pid, number)
        except ProcessLookupError:
            continue
