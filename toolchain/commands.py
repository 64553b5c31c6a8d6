"""Running other programs: output read line by line as a sign of progress, and kept for the error message."""

import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolchain.errors import BuildFailed, UnreachableRegistry

KEPT_LINES = 15
UNREACHABLE_LINES = 2  # the reason is the same in all of them
# What Go, pip and apt print when the registry is the problem, not the request.
UNREACHABLE_SIGNS = (
    "dial tcp", "no such host", "i/o timeout", "connection refused", "TLS handshake timeout",
    "Temporary failure", "Could not resolve", "Failed to establish a new connection", "Connection timed out",
    "Network is unreachable", "Max retries exceeded", "Could not connect", "Failed to fetch",
    "proxyconnect", "(from versions: none)",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a command ended."""

    code: int
    lines: tuple[str, ...]
    """The last lines that it printed on either stream."""


def stream(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] = lambda _line: None,
    keep: Callable[[str], bool] = bool,
) -> Outcome:
    """Run a command to its end, handing each line of its output to `on_line`; the outcome holds the last of those to keep."""
    kept: deque[str] = deque(maxlen=KEPT_LINES)
    with subprocess.Popen(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace",
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for raw in process.stdout:
            line = raw.rstrip()
            if keep(line):
                kept.append(line)
            on_line(line)
    return Outcome(code=process.returncode, lines=tuple(kept))


def require(outcome: Outcome, *, what: str, registry: str = "") -> None:
    """Raise when the command failed, and say so when the named registry was the reason."""
    if outcome.code == 0:
        return
    if registry and any(sign in line for line in outcome.lines for sign in UNREACHABLE_SIGNS):
        raise UnreachableRegistry(
            f"{what} needs {registry}, which cannot be reached from here; check the network and the client's own "
            f"settings, then run the same command again (what was already fetched is kept). It said:\n"
            + _quoted(outcome.lines[-UNREACHABLE_LINES:])
        )
    raise BuildFailed(f"{what} failed with exit code {outcome.code}:\n{_quoted(outcome.lines)}")


def _quoted(lines: tuple[str, ...]) -> str:
    return "\n".join(f"    {line}" for line in lines)
