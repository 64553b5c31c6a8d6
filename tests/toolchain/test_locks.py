import io
import subprocess
import sys
from pathlib import Path

from toolchain import locks
from toolchain.folders import CHECKOUT
from toolchain.progress import Progress

HOLD = """
import sys
from pathlib import Path
from toolchain import locks
from toolchain.progress import Progress
with locks.exclusive(Path(sys.argv[1]), Progress(sys.stderr)):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_a_second_run_says_for_whom_it_waits_and_goes_on_when_that_ends(tmp_path: Path) -> None:
    lock, said = tmp_path / "lock", io.StringIO()
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, lock],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder_ends_when_asked = _Ending(holder, said)
        with locks.exclusive(lock, Progress(holder_ends_when_asked)):
            assert f"pid {holder.pid}" in said.getvalue()


class _Ending(io.StringIO):
    """A stream that lets the holder go as soon as the waiting has been announced."""

    def __init__(self, holder: subprocess.Popen[str], said: io.StringIO) -> None:
        super().__init__()
        self._holder, self._said = holder, said

    def write(self, text: str) -> int:
        self._said.write(text)
        if self._holder.stdin is not None and not self._holder.stdin.closed:
            self._holder.stdin.close()
        return len(text)
