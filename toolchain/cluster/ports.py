"""Who listens where: read from /proc, so a taken port can be reported with its owner.

/proc/net/tcp and tcp6 list sockets by inode (proc(5)); the owner is the process with that inode among its
file descriptors.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from toolchain.errors import PortTaken

LISTEN = "0A"  # TCP_LISTEN in include/net/tcp_states.h


@dataclass(frozen=True, kw_only=True)
class Owner:
    """The process behind a listening socket."""

    pid: int | None
    """None when it belongs to another user or another namespace."""
    command: str


def listening_inodes(proc: Path = Path("/proc")) -> dict[int, int]:
    """Return listening TCP port -> socket inode, both address families."""
    inodes: dict[int, int] = {}
    for table in ("net/tcp", "net/tcp6"):
        if not (proc / table).exists():
            continue
        for line in (proc / table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTEN:
                inodes[int(fields[1].rpartition(":")[2], 16)] = int(fields[9])
    return inodes


def find_owner(inode: int, proc: Path = Path("/proc")) -> Owner:
    """Return the process that holds the socket open."""
    wanted = f"socket:[{inode}]"
    for folder in proc.iterdir():
        if folder.name.isdigit() and _holds(folder, wanted):
            words = (folder / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
            return Owner(pid=int(folder.name), command=b" ".join(words).decode(errors="replace"))
    return Owner(pid=None, command="a process of another user or namespace")


def require_free(wanted: Mapping[int, str], own_pids: Iterable[int] = (), proc: Path = Path("/proc")) -> None:
    """Raise PortTaken, naming port and owner, unless each port is free or ours.

    `wanted` maps port -> what we need it for.
    """
    ours = set(own_pids)
    inodes = listening_inodes(proc)
    for port, purpose in wanted.items():
        if port not in inodes:
            continue
        owner = find_owner(inodes[port], proc)
        if owner.pid not in ours:
            who = f"pid {owner.pid} ({owner.command[:120]})" if owner.pid else owner.command
            raise PortTaken(
                f"port {port} is needed for {purpose} and is taken by {who}; end that process and start again, or use "
                "your own cluster with `bin/up --context NAME --registry HOST`"
            )


def _holds(folder: Path, wanted: str) -> bool:
    try:
        return any(str(link.readlink()) == wanted for link in (folder / "fd").iterdir())
    except OSError:  # it ended, or is not ours to look into
        return False
