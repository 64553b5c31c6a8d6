"""The door for the Pulumi program, with a stand-in for the exporting process."""

import subprocess
import sys
from pathlib import Path

import pytest

from model_export.artifact import ExportRequest, FileDigest, Manifest, Source
from model_export.ensure import PYTHON_VARIABLE, command_line, ensure
from model_export.errors import ExportError, SourceError
from model_export.fingerprint import file_digest, source_digest
from model_export.source_files import locate


def request(folder: Path) -> ExportRequest:
    (folder / "model.ckpt-5.index").write_bytes(b"index")
    (folder / "model.ckpt-5.data-00000-of-00001").write_bytes(b"weights")
    return ExportRequest(
        name="m", source=folder / "model.ckpt-5", base_path=folder / "models", outputs=("y",)
    )


def manifest(asked: ExportRequest, files: dict[str, FileDigest]) -> Manifest:
    digest = source_digest(locate(asked.source), asked)
    return Manifest(
        name="m",
        version=5,
        identity="sha256:0",
        source=Source(kind="checkpoint", name="model.ckpt-5", step=5, digest=digest),
        tensorflow_version="2.21.0",
        node_count=1,
        size_bytes=3,
        signatures=(),
        accuracy=None,
        files=files,
    )


def write_version(asked: ExportRequest) -> Path:
    version_path = asked.base_path / "5"
    version_path.mkdir(parents=True)
    (version_path / "saved_model.pb").write_bytes(b"pb!")
    files = {"saved_model.pb": file_digest(version_path / "saved_model.pb")}
    (version_path / "manifest.json").write_text(manifest(asked, files).to_json())
    return version_path


def exporting_with(script: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a shell script stand in for the interpreter that has TensorFlow."""
    interpreter = folder / "python"
    interpreter.write_text("#!/bin/sh\n" + script)
    interpreter.chmod(0o755)
    monkeypatch.setenv(PYTHON_VARIABLE, str(interpreter))


def test_a_version_that_stands_is_returned_without_any_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = request(tmp_path)
    version_path = write_version(asked)
    exporting_with("exit 7", tmp_path, monkeypatch)

    artifact = ensure(asked)

    assert (artifact.path, artifact.version, artifact.digest) == (version_path, 5, "sha256:0")


def test_progress_is_passed_on_line_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = request(tmp_path)
    prepared = write_version(asked).rename(tmp_path / "prepared")
    exporting_with(f"echo one; echo two; mv {prepared} {asked.base_path}/5", tmp_path, monkeypatch)
    lines: list[str] = []

    artifact = ensure(asked, report=lines.append)

    assert (artifact.version, lines) == (5, ["one", "two"])


def test_steps_are_passed_on_as_well_and_noise_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = request(tmp_path)
    prepared = write_version(asked).rename(tmp_path / "prepared")
    script = "echo '[1/2] reading' >&2; echo noise >&2; echo '[2/2] freezing: 6 s' >&2"
    exporting_with(f"{script}; mv {prepared} {asked.base_path}/5", tmp_path, monkeypatch)
    lines: list[str] = []

    ensure(asked, report=lines.append)

    assert lines == ["[1/2] reading", "[2/2] freezing: 6 s"]


def test_noise_without_end_does_not_hold_up_an_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = request(tmp_path)
    exporting_with(
        "yes noise | head -n 200000 >&2; echo 'error: the last word' >&2; exit 1", tmp_path, monkeypatch
    )

    with pytest.raises(ExportError, match=r"^the last word$"):
        ensure(asked, report=lambda _: None)


def test_a_reader_that_gives_up_ends_the_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = request(tmp_path)
    exporting_with("echo one; exec sleep 600", tmp_path, monkeypatch)

    def give_up(line: str) -> None:
        raise KeyboardInterrupt(line)

    with pytest.raises(KeyboardInterrupt, match="one"):
        ensure(asked, report=give_up)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            "echo noise >&2; echo 'error: expected this, received that; do so' >&2; exit 1",
            "expected this, received that",
        ),
        ("echo Segmentation >&2; exit 139", "received exit code 139 and 'Segmentation'"),
        ("exit 3", "received exit code 3 and 'nothing'"),
        ("kill -9 $$", "received signal 9"),
        ("exit 0", "received a source that changed meanwhile"),
    ],
    ids=["its own sentence", "a crash", "silence", "a kill", "success without a result"],
)
def test_a_failed_export_is_one_sentence(
    script: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporting_with(script, tmp_path, monkeypatch)

    with pytest.raises(ExportError, match=reason) as caught:
        ensure(request(tmp_path), report=lambda _: None)

    assert "\n" not in str(caught.value)


def test_an_interpreter_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PYTHON_VARIABLE, str(tmp_path / "no-python"))

    with pytest.raises(ExportError, match=f"no-python.*set {PYTHON_VARIABLE}"):
        ensure(request(tmp_path))


def test_a_missing_source_is_noticed_before_any_process(tmp_path: Path) -> None:
    asked = ExportRequest(name="m", source=tmp_path / "nowhere", base_path=tmp_path / "models")

    with pytest.raises(SourceError, match="received no such file; train first"):
        ensure(asked)


def test_a_flipped_byte_in_the_version_folder_is_not_taken_for_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = request(tmp_path)
    (write_version(asked) / "saved_model.pb").write_bytes(b"pb?")
    exporting_with("echo 'error: asked again' >&2; exit 1", tmp_path, monkeypatch)

    with pytest.raises(ExportError, match="asked again"):
        ensure(asked, report=lambda _: None)


def test_the_command_line_repeats_the_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PYTHON_VARIABLE, raising=False)
    asked = ExportRequest(
        name="m",
        source=tmp_path / "s",
        base_path=tmp_path / "b",
        outputs=("a=y", "z"),
        inputs=("x",),
        signature="predict_images",
        version=0,
        evaluate=tmp_path / "e.npz",
        metric="top_5",
        builder=f"{tmp_path}/graph.py:build",
        warmup_batch_sizes=(2, 4),
        example=tmp_path / "x.npz",
        optimize=True,
        quantize="int8",
        tune=True,
        preprocessed="pixels",
    )

    assert command_line(asked) == [
        *(sys.executable, "-m", "model_export", "export", "--name", "m"),
        *("--source", f"{tmp_path}/s", "--base-path", f"{tmp_path}/b", "--signature", "predict_images"),
        *("--outputs", "a=y,z", "--inputs", "x", "--version", "0", "--evaluate", f"{tmp_path}/e.npz"),
        *("--metric", "top_5", "--example", f"{tmp_path}/x.npz", "--builder", f"{tmp_path}/graph.py:build"),
        *(
            "--warmup-batch-sizes",
            "2,4",
            "--quantize",
            "int8",
            "--preprocessed",
            "pixels",
            "--optimize",
            "--tune",
        ),
    ]


def test_the_door_never_meets_tensorflow_or_numpy() -> None:
    program = "import sys, model_export.ensure; print([m for m in ('tensorflow', 'keras', 'numpy') if m in sys.modules])"

    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"
