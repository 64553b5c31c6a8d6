"""The record of what was started, kept on disk before it matters.

A process is recorded as pid plus start time, so a recycled pid is never mistaken for ours. The file is
replaced atomically: after a crash it is the old record or the new one, never half of one.
"""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class ProcessRecord:
    """One process that we started."""

    pid: int
    start_ticks: int
    """Clock ticks between boot and its start: field 22 of /proc/PID/stat (proc(5))."""
    command: tuple[str, ...]
    boot_id: str
    """The boot it belongs to; ticks and pids begin anew at the next."""


@dataclass(frozen=True, kw_only=True)
class ClusterState:
    """Everything that `down` must know and cannot see."""

    gpus: int = 0
    processes: dict[str, ProcessRecord] = field(default_factory=dict)
    kernel_switches: dict[str, str] = field(default_factory=dict)
    """Values of the sysctls that components change, as they were before."""

    def with_process(self, name: str, record: ProcessRecord) -> "ClusterState":
        """Return the state with one more (or a newer) process."""
        return dataclasses.replace(self, processes=self.processes | {name: record})

    def without_process(self, name: str) -> "ClusterState":
        """Return the state after a process was ended."""
        return dataclasses.replace(self, processes={k: v for k, v in self.processes.items() if k != name})


def load(path: Path) -> ClusterState | None:
    """Read the record; None when there is no cluster (or a record nobody can read any more)."""
    try:
        raw = json.loads(path.read_text())
        processes = {
            name: ProcessRecord(**(record | {"command": tuple(record["command"])}))
            for name, record in raw["processes"].items()
        }
        return ClusterState(gpus=raw["gpus"], processes=processes, kernel_switches=raw["kernel_switches"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def save(state: ClusterState, path: Path) -> None:
    """Replace the record atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(dataclasses.asdict(state), indent=2) + "\n")
    draft.rename(path)
