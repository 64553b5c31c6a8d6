"""sign and identify as an operator types them, and a signature that travels with its version."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import trust
from model_export.__main__ import main
from model_export.repository import open_repository
from model_export.repository.archives import pack, unpack
from model_export.repository.content import SIGNATURE_NAME
from model_export.repository.folder import FolderRepository
from tests.model_export.repository.s3_server import BUCKET, S3Server
from tests.model_export.repository.version_folders import make_version
from tests.trust.folders import private_pem, public_of


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    pem = private_pem()
    private, public = tmp_path / "model.key", tmp_path / "model.pub"
    private.write_bytes(pem)
    public.write_text(public_of(pem))
    return private, public


@pytest.fixture
def signed(tmp_path: Path, keys: tuple[Path, Path]) -> Path:
    version = make_version(tmp_path / "made", 7, files={"saved_model.pb": b"a graph"})
    assert main(["sign", str(version), "--key", str(keys[0])]) == 0
    return version


def test_both_rooms_mean_the_same_file() -> None:
    assert SIGNATURE_NAME == trust.SIGNATURE_NAME


def test_a_signed_version_is_vouched_for(
    signed: Path, keys: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["identify", str(signed), "--key", str(keys[1]), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["model"], told["version"], told["files"]) == ("mnist", 7, 2)


def test_a_tampered_version_ends_with_exit_code_3(
    signed: Path, keys: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (signed / "saved_model.pb").write_bytes(b"a graph with something else")
    assert main(["identify", str(signed), "--key", str(keys[1])]) == 3
    assert "altered: saved_model.pb" in capsys.readouterr().err


def test_a_password_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    version = make_version(tmp_path / "made", 7, files={"saved_model.pb": b"a graph"})
    key = tmp_path / "locked.key"
    key.write_bytes(private_pem(password=b"open sesame"))
    words = ["sign", str(version), "--key", str(key), "--password-variable", "MODEL_KEY_PASSWORD"]
    assert main(words) == 1
    assert "MODEL_KEY_PASSWORD" in capsys.readouterr().err
    monkeypatch.setenv("MODEL_KEY_PASSWORD", "open sesame")
    assert main(words) == 0


def test_a_signature_travels_through_a_repository_and_an_archive(
    tmp_path: Path, signed: Path, keys: tuple[Path, Path]
) -> None:
    repository = FolderRepository(tmp_path / "repository")
    repository.publish(signed)
    fetched = repository.fetch(7, tmp_path / "fetched")
    pack(fetched, tmp_path / "7.zip")
    unpacked = unpack(tmp_path / "7.zip", tmp_path / "unpacked")
    for each in (fetched, unpacked):
        assert main(["identify", str(each), "--key", str(keys[1])]) == 0


def test_a_signature_travels_through_s3_and_is_kept_by_a_collection(
    tmp_path: Path,
    signed: Path,
    keys: tuple[Path, Path],
    s3_server: S3Server,
    s3_environment: Callable[[S3Server], None],
) -> None:
    s3_environment(s3_server)
    repository = open_repository(f"s3://{BUCKET}/{tmp_path.name}/mnist")
    repository.publish(signed)
    repository.gc(keep=1)
    fetched = repository.fetch(7, tmp_path / "fetched")
    assert main(["identify", str(fetched), "--key", str(keys[1])]) == 0


def test_an_unsigned_version_has_no_signature_after_s3_either(
    tmp_path: Path, s3_server: S3Server, s3_environment: Callable[[S3Server], None]
) -> None:
    s3_environment(s3_server)
    version = make_version(tmp_path / "made", 8, files={"saved_model.pb": b"a graph"})
    repository = open_repository(f"s3://{BUCKET}/{tmp_path.name}/unsigned")
    repository.publish(version)
    assert not (repository.fetch(8, tmp_path / "fetched") / SIGNATURE_NAME).exists()
