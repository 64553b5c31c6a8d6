from pathlib import Path

from toolchain import pruning

OLD, NEW = "0" * 12, "1" * 12


def test_only_earlier_keys_of_what_is_kept_are_superseded(tmp_path: Path) -> None:
    names = [
        f"kube-{OLD}",
        f"kube-{NEW}",
        f"kube-{OLD}.partial",
        f"kube-proxy-{OLD}",
        f"venv-bench-{OLD}",
        "kube",
        "notes.json",
    ]
    for name in names:
        (tmp_path / name).mkdir()
    old = pruning.superseded(tmp_path, keep={tmp_path / f"kube-{NEW}"})
    assert [folder.name for folder in old] == [f"kube-{OLD}", f"kube-{OLD}.partial"]


def test_a_folder_without_a_key_is_never_superseded(tmp_path: Path) -> None:
    (tmp_path / "anything").mkdir()
    assert pruning.superseded(tmp_path, keep={tmp_path / "also-without-key"}) == []
