from pathlib import Path

import pytest

from toolchain.cluster import state as records
from toolchain.cluster.state import ClusterState, ProcessRecord

RECORD = ProcessRecord(pid=7, start_ticks=99, command=("kube", "proxy"), boot_id="boot")


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    state = ClusterState(gpus=2, kernel_switches={"vm/panic": "0"}).with_process("proxy", RECORD)
    records.save(state, tmp_path / "cluster" / "state.json")
    assert records.load(tmp_path / "cluster" / "state.json") == state


def test_no_record_means_no_cluster(tmp_path: Path) -> None:
    assert records.load(tmp_path / "state.json") is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"gpus": 1}'], ids=["empty", "cut", "list", "bare", "part"]
)
def test_a_record_that_cannot_be_read_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    assert records.load(tmp_path / "state.json") is None


def test_a_crash_while_saving_leaves_the_old_record(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    records.save(ClusterState(gpus=1), path)
    path.with_suffix(".draft").write_text('{"gpus": 2, "proc')  # what a crash in the middle of a write leaves
    assert records.load(path) == ClusterState(gpus=1)


def test_a_later_process_of_the_same_name_replaces_the_record() -> None:
    later = ProcessRecord(pid=8, start_ticks=100, command=("kube", "proxy"), boot_id="boot")
    state = ClusterState().with_process("proxy", RECORD).with_process("proxy", later)
    assert state.processes == {"proxy": later}
    assert state.without_process("proxy").processes == {}
