"""A server with keys loads what they signed, and nothing else; what it serves never gets worse for it."""

import shutil
from pathlib import Path

import pytest

import trust
from serving.errors import ModelError, SettingsError
from serving.repository import make_vouch
from tests.serving.processes import Process, serving
from tests.trust.folders import private_pem, public_of, version_folder

KEY = private_pem()
PUBLISHED = Path(__file__).parents[3] / "examples/mnist/published"


def signed(folder: Path) -> Path:
    (folder / trust.SIGNATURE_NAME).write_text(trust.sign(folder, KEY))
    return folder


def test_without_keys_nothing_is_asked() -> None:
    assert make_vouch("") is None


def test_what_is_no_key_ends_the_start() -> None:
    with pytest.raises(SettingsError, match="model_signature_keys: expected public keys"):
        make_vouch("no key")


def test_what_a_key_signed_may_load_and_what_was_altered_may_not(tmp_path: Path) -> None:
    vouch, folder = make_vouch(public_of(KEY)), signed(version_folder(tmp_path))
    assert vouch is not None
    vouch("mnist", 7, folder)
    (folder / "saved_model.pb").write_bytes(b"another graph")
    with pytest.raises(ModelError, match=r"mnist version 7 is not vouched for: .*altered: saved_model\.pb"):
        vouch("mnist", 7, folder)


def _flags(base_path: Path) -> tuple[str, ...]:
    return (
        "--model_name=mnist",
        f"--model_base_path={base_path}",
        f"--model_signature_keys={public_of(KEY)}",
    )


@pytest.mark.tensorflow
def test_an_unsigned_model_ends_the_server_with_a_sentence(tmp_path: Path) -> None:
    shutil.copytree(PUBLISHED, tmp_path / "mnist")
    process = Process(*_flags(tmp_path / "mnist"))
    with process.process:
        assert process.process.wait(60) == 1
        assert "mnist version 1000 is not vouched for" in process.log()


@pytest.mark.tensorflow
def test_a_newer_version_that_nobody_signed_leaves_the_signed_one_serving(tmp_path: Path) -> None:
    base_path = tmp_path / "mnist"
    shutil.copytree(PUBLISHED, base_path)
    signed(base_path / "1000")
    with serving(
        *_flags(base_path), "--file_system_poll_wait_seconds=1", "--max_num_load_retries=0"
    ) as process:
        shutil.copytree(base_path / "1000", tmp_path / "new")
        (tmp_path / "new").rename(base_path / "1001")  # an old version under a new number, signature and all
        while b"not vouched for" not in (status := process.get("/v1/models/mnist")[1]):
            assert process.process.poll() is None
        assert b'"1000"' in status
        assert process.get("/v1/models/mnist/versions/1000/metadata")[0] == 200
        assert process.get("/v1/models/mnist/versions/1001/metadata")[0] == 404
