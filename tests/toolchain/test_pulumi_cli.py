import json
import os
from pathlib import Path

import pytest

from tests.toolchain.places import imagined
from toolchain import pulumi_cli
from toolchain.progress import Progress

CLI = """#!/bin/sh
case "$1 $2" in
  "version "*) echo v{version} ;;
  "plugin ls") echo '{plugins}' ;;
  *) exit 1 ;;
esac
"""
PLUGINS = json.dumps(
    [{"name": name, "kind": "resource", "version": version} for name, version in pulumi_cli.PLUGINS.items()]
)


def _write_cli(folder: Path, *, version: str = "3.259.0", plugins: str = PLUGINS, hosts: bool = True) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    names = ["pulumi", "pulumi-language-python"] if hosts else ["pulumi"]
    for name in names:
        (folder / name).write_text(CLI.format(version=version, plugins=plugins))
        (folder / name).chmod(0o755)
    return folder / "pulumi"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v3.259.0", (3, 259, 0)),
        ("3.260.1-alpha.x1234", (3, 260, 1)),
        ("v10.0.0\n", (10, 0, 0)),
        ("", None),
        ("unknown", None),
    ],
    ids=["release", "prerelease", "newline", "empty", "word"],
)
def test_versions_are_read_as_the_cli_prints_them(text: str, version: tuple[int, int, int] | None) -> None:
    assert pulumi_cli.parse_version(text) == version


def test_a_cli_that_we_built_is_not_taken_for_the_users(tmp_path: Path) -> None:
    folders = imagined(tmp_path)
    _write_cli(folders.pulumi_home / "bin")
    theirs = _write_cli(tmp_path / "theirs")
    path = os.pathsep.join([str(folders.pulumi_home / "bin"), str(theirs.parent)])
    assert pulumi_cli.on_path(folders, {"PATH": path}) == theirs
    assert pulumi_cli.on_path(folders, {"PATH": str(folders.pulumi_home / "bin")}) is None


def test_a_new_enough_cli_with_its_plugins_is_used_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = _write_cli(tmp_path / "theirs")
    monkeypatch.setenv("PATH", f"{theirs.parent}:/usr/bin:/bin")
    assert pulumi_cli.find_usable(imagined(tmp_path), Progress()) == theirs


@pytest.mark.parametrize(
    ("shortcoming", "reason"),
    [
        ({"version": "3.258.9"}, "3.259.0 or newer"),
        ({"version": "dev"}, "3.259.0 or newer"),
        ({"plugins": "[]"}, "cannot fetch the plugin kubernetes"),
        ({"hosts": False}, "no Python language host"),
    ],
    ids=["older", "unreadable version", "no plugins", "no host"],
)
def test_a_cli_with_a_shortcoming_is_passed_over_with_a_reason(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    shortcoming: dict[str, object],
    reason: str,
) -> None:
    theirs = _write_cli(tmp_path / "theirs", **shortcoming)  # type: ignore[arg-type]
    monkeypatch.setenv("PATH", f"{theirs.parent}:/usr/bin:/bin")
    assert pulumi_cli.find_usable(imagined(tmp_path), Progress()) is None
    assert reason in capsys.readouterr().out


def test_a_verdict_is_kept_until_the_cli_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders, theirs = imagined(tmp_path), _write_cli(tmp_path / "theirs", version="3.1.0")
    monkeypatch.setenv("PATH", f"{theirs.parent}:/usr/bin:/bin")
    pulumi_cli.find_usable(folders, Progress())
    verdict = pulumi_cli.remembered(theirs, folders)
    assert verdict is not None
    assert not verdict.usable
    os.utime(theirs, ns=(1, 1))
    assert pulumi_cli.remembered(theirs, folders) is None
