import subprocess
import sys

import pytest

from model_export import commands


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "model_export", *words], capture_output=True, text=True, check=False
    )


def test_help_lists_every_verb_and_the_exit_codes() -> None:
    shown = run("--help")

    assert shown.returncode == 0
    assert all(f"    {verb} " in shown.stdout for verb in commands.VERBS)
    assert "exit codes:" in shown.stdout


@pytest.mark.parametrize(
    "words", [(), ("freeze",), ("export",)], ids=["no verb", "an unknown verb", "missing flags"]
)
def test_a_wrong_command_line_exits_with_2(words: tuple[str, ...]) -> None:
    refused = run(*words)

    assert refused.returncode == 2
    assert refused.stderr.startswith("usage: python -m model_export")


def test_an_expected_failure_is_one_sentence_and_exits_with_1(tmp_path: object) -> None:
    failed = run("export", "--source", f"{tmp_path}/none", "--name", "m", "--base-path", f"{tmp_path}/models")

    assert failed.returncode == 1
    assert failed.stderr.startswith("error: expected a checkpoint, a SavedModel")
    assert len(failed.stderr.splitlines()) == 1


@pytest.mark.parametrize("version", ["-1", "one", "1.0", str(2**63)])
def test_a_version_that_no_folder_can_have_is_refused(version: str, tmp_path: object) -> None:
    refused = run(
        "export", "--source", "s", "--name", "m", "--base-path", f"{tmp_path}", "--version", version
    )

    assert refused.returncode == 2
    assert "--version" in refused.stderr
