"""CPU time of a server and everything it started, from Linux's /proc.

A peer may be a supervisor, workers and helpers; what it costs is the sum. The family of a process is its session, which
`processes.start` gives each server of its own, and all descendants of that, in case one of them left the session.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True, kw_only=True)
class Process:
    """One row of the process table; see proc(5), /proc/PID/stat."""

    parent: int
    session: int
    ticks: int
    """User and system time so far, in clock ticks."""


def family(root: int, table: Mapping[int, Process]) -> frozenset[int]:
    """The process ids of `root`, its session and all their descendants that are in `table`."""
    members = {pid for pid, process in table.items() if pid == root or process.session == root}
    while newcomers := {
        pid for pid, process in table.items() if process.parent in members and pid not in members
    }:
        members |= newcomers
    return frozenset(members)


def seconds_used(root: int) -> float:
    """CPU seconds of the family of `root` until now; of members that are alive."""
    table = read_table()
    return sum(table[pid].ticks for pid in family(root, table)) / TICKS_PER_SECOND


def read_table() -> dict[int, Process]:
    """Every process of the machine, by process id."""
    table = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                table[int(entry.name)] = parse_stat((entry / "stat").read_text())
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended while we were reading
    return table


def parse_stat(text: str) -> Process:
    """A line of /proc/PID/stat. The command name may hold spaces and brackets: fields count from the last `)`."""
    fields = text.rpartition(")")[2].split()
    return Process(parent=int(fields[1]), session=int(fields[3]), ticks=int(fields[11]) + int(fields[12]))
