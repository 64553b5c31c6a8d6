import dataclasses
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolchain.cluster import processes
from toolchain.cluster.state import ProcessRecord


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[ProcessRecord]:
    record = processes.start(
        ["sleep", "300"], log=tmp_path / "log" / "sleeper.log", cwd=tmp_path, env=os.environ
    )
    # The kernel keeps an ended child until its parent asks; cluster processes have init for that.
    reaper = threading.Thread(target=os.waitpid, args=(record.pid, 0))
    reaper.start()
    yield record
    processes.stop([record], grace_seconds=5)
    reaper.join()


def test_a_started_process_is_alive_until_it_is_stopped(sleeper: ProcessRecord) -> None:
    assert processes.is_alive(sleeper)
    processes.stop([sleeper], grace_seconds=5)
    assert not processes.is_alive(sleeper)


@pytest.mark.parametrize(
    "change",
    [{"start_ticks": 1}, {"boot_id": "another boot"}],
    ids=["a later process with the same pid", "another boot"],
)
def test_a_stranger_with_our_pid_is_neither_ours_nor_ended(
    sleeper: ProcessRecord, change: dict[str, object]
) -> None:
    stranger = dataclasses.replace(sleeper, **change)  # type: ignore[arg-type]
    assert not processes.is_alive(stranger)
    processes.stop([stranger], grace_seconds=5)
    assert processes.is_alive(sleeper)


def test_a_process_that_will_not_end_is_killed(tmp_path: Path) -> None:
    stubborn = "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "deaf\n"
        ticks = processes.start_ticks(process.pid)
        assert ticks is not None
        record = ProcessRecord(pid=process.pid, start_ticks=ticks, command=(), boot_id=processes.boot_id())
        processes.stop([record], grace_seconds=0.2)
        assert not processes.is_alive(record)
        assert process.wait() == -9


def test_an_ended_process_that_nobody_asked_about_counts_as_gone() -> None:
    with subprocess.Popen(["true"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read()  # until it has closed its output; then it is a zombie, or about to be
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert processes.start_ticks(process.pid) is None


def test_a_name_with_spaces_and_parentheses_is_read_over(tmp_path: Path) -> None:
    odd = tmp_path / "a) S (b"
    odd.symlink_to("/usr/bin/sleep")
    before = processes.start_ticks(os.getpid())
    assert before is not None
    with subprocess.Popen([odd, "300"]) as process:
        ticks = processes.start_ticks(process.pid)
        process.kill()
    assert ticks is not None
    assert ticks > before
