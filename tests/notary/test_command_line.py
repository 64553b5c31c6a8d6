"""`python -m notary` as a user types it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from notary import Build, Office
from notary.__main__ import main
from tests.trust.folders import private_pem, public_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def keys(tmp_path: Path) -> tuple[str, str]:
    own = private_pem()
    (tmp_path / "images.key").write_bytes(own)
    (tmp_path / "images.pub").write_text(public_of(own))
    return str(tmp_path / "images.key"), str(tmp_path / "images.pub")


def test_an_image_is_signed_and_then_vouched_for(
    image: str, keys: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    private, public = keys
    assert main(["verify", image, "--key", public]) == 3
    assert "received none" in capsys.readouterr().err
    assert main(["sign", image, "--key", private]) == 0
    assert main(["verify", image, "--key", public]) == 0
    assert "signed by the key" in capsys.readouterr().out


def test_provenance_is_printed_as_json(
    image: str, keys: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    private, public = keys
    Office.open(private_pem=Path(private).read_text()).attest(
        image, Build(builder="urn:ci", parameters={}, materials=())
    )
    assert main(["provenance", image, "--key", public]) == 0
    (statement,) = json.loads(capsys.readouterr().out)
    assert statement["predicate"]["runDetails"]["builder"]["id"] == "urn:ci"


def test_a_key_with_a_password_opens_with_it(
    image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "locked.key"
    path.write_bytes(private_pem(password=b"open sesame"))
    words = ["sign", image, "--key", str(path)]
    assert main(words) == 2
    assert main([*words, "--password-variable", "IMAGE_PASSWORD"]) == 2
    assert "IMAGE_PASSWORD, received none" in capsys.readouterr().err
    monkeypatch.setenv("IMAGE_PASSWORD", "open sesame")
    assert main([*words, "--password-variable", "IMAGE_PASSWORD"]) == 0


def test_a_key_that_is_not_there_is_a_sentence(image: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", image, "--key", "/nowhere"]) == 2
    assert "No such file" in capsys.readouterr().err


def test_it_starts_without_pulumi_or_tensorflow() -> None:
    question = "import sys, notary.__main__; print({'pulumi', 'tensorflow'} & set(sys.modules))"
    told = subprocess.run(
        [sys.executable, "-c", question], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "set()"
