import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolchain.cluster import ports
from toolchain.errors import PortTaken


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_is_named_with_its_owner_and_its_purpose(taken: int) -> None:
    with pytest.raises(PortTaken) as error:
        ports.require_free({taken: "the image registry"})
    message = str(error.value)
    assert f"port {taken} is needed for the image registry" in message
    assert f"pid {os.getpid()} (" in message
    assert Path(sys.executable).name in message or "pytest" in message


def test_the_owner_can_be_another_process() -> None:
    code = (
        "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True);"
        "s.accept()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with pytest.raises(PortTaken, match=f"pid {process.pid} "):
            ports.require_free({port: "etcd"})
        process.kill()


def test_a_port_of_ours_counts_as_free(taken: int) -> None:
    ports.require_free({taken: "etcd"}, own_pids=[os.getpid()])


def test_a_port_that_nobody_listens_on_is_free(taken: int) -> None:
    with socket.socket() as bound_only:
        bound_only.bind(("127.0.0.1", 0))
        ports.require_free({bound_only.getsockname()[1]: "etcd"})


def test_listeners_of_both_address_families_are_seen(tmp_path: Path) -> None:
    head = (
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    )
    tail = "00000000:00000000 00:00000000 00000000     0        0"
    (tmp_path / "net").mkdir()
    (tmp_path / "net/tcp").write_text(
        f"{head}   0: 0100007F:1388 00000000:0000 0A {tail} 11 1\n   1: 0100007F:1389 0100007F:1388 01 {tail} 12 1\n"
    )
    (tmp_path / "net/tcp6").write_text(f"{head}   0: {'0' * 32}:192B {'0' * 32}:0000 0A {tail} 13 1\n")
    assert ports.listening_inodes(tmp_path) == {5000: 11, 6443: 13}


def test_an_owner_that_cannot_be_seen_is_said_to_be_someone_elses(tmp_path: Path) -> None:
    assert ports.find_owner(11, tmp_path).pid is None
