"""inspect and diff as an operator types them, without TensorFlow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from model_export.__main__ import main
from model_export.contract import read_contract
from tests.model_export.contract import protos
from tests.model_export.repository.version_folders import make_version


@pytest.fixture
def servable(tmp_path: Path) -> Path:
    return make_version(tmp_path, 7, files={"saved_model.pb": protos.doubling()})


def test_inspect_shows_what_the_saved_model_tool_shows_and_the_manifest(
    servable: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(servable)]) == 0
    told = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    for line in (
        "tags serve",
        "written by TensorFlow 2.21.0",
        "nodes 3",
        "constants 4 B",
        "Signature serving_default (tensorflow/serving/predict):",
        "input image float32 [?, 4] image:0",
        "output scores float32 [?, 4] scores:0",
        "Mul 1",
        "model mnist",
        "version 7",
    ):
        assert line in told, line


def test_inspect_gives_one_json_object(servable: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(servable), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["contract"] == json.loads(read_contract(servable).to_json())
    assert found["tensors"]["serving_default/inputs/image"] == ["image:0"]
    assert found["manifest"]["version"] == 7


def test_a_servable_without_a_manifest_is_shown_as_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(protos.write(tmp_path / "1", protos.doubling())), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["manifest"] is None


def test_a_file_that_is_no_keras_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model.keras").write_bytes(b"\x80\x04cos\nsystem\n")
    assert main(["inspect", str(tmp_path / "model.keras")]) == 1
    assert "expected a .keras archive or an HDF5 file" in capsys.readouterr().err


WIDER = protos.saved_model(
    (2, protos.graph(protos.node("x", "Placeholder"))),
    protos.signature(
        "serving_default",
        {"image": protos.tensor_info("x:0", 1, None, 4)},
        {"scores": protos.tensor_info("x:0", 1, None, 4)},
    ),
    protos.signature("more", {}, {}),
)
OTHER = protos.saved_model(
    (2, protos.graph(protos.node("x", "Placeholder"))), protos.signature("other", {}, {})
)
DIFFERENCES = {
    "the same": (protos.doubling(), [], 0, "identical"),
    "other weights": (protos.doubling(weight=b"\0\0\0\x41"), [], 0, "numerics_only"),
    "more": (WIDER, [], 0, "additive"),
    "broken": (OTHER, [], 3, "breaking"),
    "broken, allowed": (OTHER, ["--allow-breaking"], 0, "breaking"),
}


@pytest.mark.parametrize(("new", "words", "code", "level"), DIFFERENCES.values(), ids=DIFFERENCES.keys())
def test_diff_tells_the_level_by_word_and_exit_code(
    servable: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    new: bytes,
    words: list[str],
    code: int,
    level: str,
) -> None:
    folder = protos.write(tmp_path / "8", new)
    assert main(["diff", str(servable), str(folder), *words]) == code
    assert capsys.readouterr().out.startswith(level)
    assert main(["diff", str(servable), str(folder), *words, "--json"]) == code
    assert json.loads(capsys.readouterr().out)["level"] == level


def test_a_stored_contract_is_compared_as_a_folder_is(
    servable: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "deployed.json").write_text(read_contract(servable).to_json())
    assert main(["diff", str(tmp_path / "deployed.json"), str(servable)]) == 0
    assert capsys.readouterr().out == "identical: the servable is the deployed one, byte for byte\n"


@pytest.mark.parametrize("words", [["inspect", "nowhere"], ["diff", "nowhere", "nowhere"]])
def test_what_is_not_there_is_one_sentence(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main(words) == 1
    assert capsys.readouterr().err.startswith("error: nowhere")


@pytest.mark.parametrize("verb", ["inspect", "diff", "list"])
def test_reading_verbs_never_import_tensorflow(servable: Path, verb: str) -> None:
    paths = [str(servable)] * (2 if verb == "diff" else 1)
    program = (
        "import sys; from model_export.__main__ import main; code = main(sys.argv[1:]); "
        "sys.exit(code or bool({'tensorflow', 'keras', 'numpy', 'boto3', 'h5py'} & sys.modules.keys()))"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", program, verb, *paths], check=False, capture_output=True
        ).returncode
        == 0
    )


def test_a_reader_that_stops_reading_gets_no_trace(servable: Path) -> None:
    words = [sys.executable, "-m", "model_export", "inspect", str(servable)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
