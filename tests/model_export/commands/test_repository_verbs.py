"""publish, fetch, list, label and gc as an operator types them: results, exit codes, and what a pipe gets."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from model_export import commands
from model_export.__main__ import main
from model_export.repository.archives import pack
from tests.model_export.contract import protos
from tests.model_export.repository.s3_server import BUCKET
from tests.model_export.repository.version_folders import contents, make_version


@pytest.fixture(params=["folder", "s3"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "repository" / "mnist")
    request.getfixturevalue("s3_environment")(request.getfixturevalue("s3_server"))
    return f"s3://{BUCKET}/{tmp_path.name}/mnist"


def _version(folder: Path, version: int, *, weight: bytes = b"\0\0\0\x40", op: str = "NoOp") -> str:
    graph = protos.doubling(protos.node("n", op), weight=weight)
    return str(make_version(folder, version, files={"saved_model.pb": graph, "assets/words.txt": b"cat\n"}))


def _json(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    captured = capsys.readouterr()
    assert captured.err == ""
    (line,) = captured.out.splitlines()
    found = json.loads(line)
    assert isinstance(found, dict)
    return found


def test_a_model_walks_the_whole_road_from_training_to_pod(
    base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for version in (7, 8, 9):
        assert main(["publish", _version(tmp_path, version), base]) == 0
    assert main(["label", base, "stable=7", "canary=9"]) == 0
    assert main(["fetch", base, "stable", str(tmp_path / "pod")]) == 0
    assert main(["gc", base, "--keep", "1"]) == 0
    assert main(["list", base]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [
        *(f"published mnist version {version} in {base}" for version in (7, 8, 9)),
        "canary -> 9",
        "stable -> 7",
        f"fetched version 7 to {tmp_path / 'pod' / '7'}",
        "removed 8; left 7, 9",
        f"mnist in {base}:",
        *captured.out.splitlines()[8:],
    ]
    assert [line.split()[:2] for line in captured.out.splitlines()[8:]] == [
        ["version", "labels"],
        ["7", "stable"],
        ["9", "canary"],
    ]
    assert "published saved_model.pb (" in captured.err
    assert "fetched assets/words.txt (4 B)" in captured.err


def test_every_verb_gives_one_json_object_and_nothing_else(
    base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = _version(tmp_path, 7)
    assert main(["publish", made, base, "--label", "stable", "--json"]) == 0
    published = _json(capsys)
    assert (published["published"], published["labels"], published["manifest"]["version"]) == (
        True,
        {"stable": 7},
        7,
    )
    assert main(["label", base, "canary=7", "--json"]) == 0
    assert _json(capsys) == {"labels": {"stable": 7, "canary": 7}}
    assert main(["list", base, "--json"]) == 0
    listed = _json(capsys)
    assert (listed["address"], listed["labels"]) == (base, {"stable": 7, "canary": 7})
    assert [each["version"] for each in listed["versions"]] == [7]
    assert main(["fetch", base, "canary", str(tmp_path / "pod"), "--json"]) == 0
    assert _json(capsys)["path"] == str(tmp_path / "pod" / "7")
    assert main(["gc", base, "--keep", "3", "--json"]) == 0
    assert _json(capsys) == {"removed": [], "versions": [7]}


def test_a_job_may_run_twice_when_it_says_so(
    base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = _version(tmp_path, 7)
    assert main(["publish", made, base]) == 0
    assert main(["publish", made, base]) == 1
    assert "the same content: nothing needs doing" in capsys.readouterr().err
    assert main(["publish", made, base, "--if-missing"]) == 0
    assert "already published, with the same content: mnist version 7" in capsys.readouterr().out
    other = _version(tmp_path, 7, weight=b"\0\0\0\x41")
    assert main(["publish", other, base, "--if-missing"]) == 1
    assert "other content: give it a higher version" in capsys.readouterr().err


def test_a_servable_that_reaches_outside_is_not_published_unless_trusted(
    base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = _version(tmp_path, 1, op="ReadFile")
    assert main(["publish", made, base]) == 1
    assert "ReadFile (reads or writes files of the pod)" in capsys.readouterr().err
    assert main(["list", base]) == 0
    assert f"no versions in {base}" in capsys.readouterr().out
    assert main(["publish", made, base, "--allow-op", "ReadFile"]) == 0


def test_an_archive_is_published_as_its_folder_would_be(base: str, tmp_path: Path) -> None:
    made = Path(_version(tmp_path, 7))
    before = contents(made)
    pack(made, tmp_path / "mnist-7.zip")
    shutil.rmtree(made)
    assert main(["publish", str(tmp_path / "mnist-7.zip"), base]) == 0
    assert main(["fetch", base, "latest", str(tmp_path / "pod")]) == 0
    assert before.items() <= contents(tmp_path / "pod" / "7").items()


def test_a_hostile_archive_is_not_published(
    base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "evil.tar").write_bytes(b"not an archive" * 100)
    assert main(["publish", str(tmp_path / "evil.tar"), base]) == 1
    assert "expected a whole archive of one version" in capsys.readouterr().err


FAILURES = {
    "fetch what is not there": ["fetch", "{base}", "stable", "{pod}"],
    "label what is not there": ["label", "{base}", "stable=3"],
    "keep nothing": ["gc", "{base}", "--keep", "0"],
    "publish a folder that is none": ["publish", "{base}", "{base}"],
    "list another kind of address": ["list", "gs://bucket/x"],
}


@pytest.mark.parametrize("words", FAILURES.values(), ids=FAILURES.keys())
def test_a_failure_is_one_sentence_and_exit_code_one(
    base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main([word.format(base=base, pod=tmp_path / "pod") for word in words]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert len(captured.err.splitlines()) == 1


@pytest.mark.parametrize("change", ["stable", "stable=x", "stable=-1", "stable=1.5"])
def test_a_change_that_is_none_is_a_wrong_command_line(
    base: str, capsys: pytest.CaptureFixture[str], change: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["label", base, change])
    assert caught.value.code == 2
    assert "expected label=version, such as stable=7" in capsys.readouterr().err


@pytest.mark.parametrize("verb", sorted(commands.VERBS.keys() - {"sbom"}))  # prints nothing but JSON
def test_every_verb_has_help_with_examples(capsys: pytest.CaptureFixture[str], verb: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main([verb, "--help"])
    assert caught.value.code == 0
    told = capsys.readouterr().out
    assert f"python -m model_export {verb} " in told.partition("examples:")[2]
    assert "--json" in told


def test_a_terminal_gets_tables_and_bars(
    base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "140")
    assert main(["publish", _version(tmp_path, 7), base]) == 0
    assert main(["list", base]) == 0
    captured = capsys.readouterr()
    assert "━" in captured.err
    assert "│" in captured.out
