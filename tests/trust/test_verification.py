"""A model is taken only as what its signer vouched for: every byte, the name and the version."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trust.folders import CURVES, private_pem, public_of, rsa_pem, version_folder
from trust import SIGNATURE_NAME, TrustError, read_keys, sign, verify
from trust.errors import Altered, UnknownSigner, UnreadableKey, Unsigned

OURS = private_pem()
TRUSTED = read_keys(public_of(OURS))


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    folder = version_folder(tmp_path)
    (folder / SIGNATURE_NAME).write_text(sign(folder, OURS))
    return folder


def check(folder: Path, *, version: int = 7, name: str = "mnist") -> None:
    verify(folder, TRUSTED, name=name, version=version)


def test_what_was_signed_is_vouched_for(signed: Path) -> None:
    vouched = verify(signed, TRUSTED, name="mnist", version=7)
    assert vouched.files == 3
    assert len(vouched.key) == 64


@pytest.mark.parametrize("curve", CURVES)
def test_every_curve_of_the_format_can_sign(tmp_path: Path, curve: str) -> None:
    folder, key = version_folder(tmp_path), private_pem(curve)
    (folder / SIGNATURE_NAME).write_text(sign(folder, key))
    assert verify(folder, read_keys(public_of(key)), name="mnist", version=7).files == 3


def test_one_of_several_trusted_keys_is_enough(signed: Path) -> None:
    both = read_keys(public_of(private_pem()) + "\n# the key of the training team\n" + public_of(OURS))
    assert verify(signed, both, name="mnist", version=7).files == 3


def test_the_same_content_has_the_same_signature(tmp_path: Path) -> None:
    folder = version_folder(tmp_path)
    assert sign(folder, OURS) == sign(folder, OURS)


def flip(path: Path, position: int = 100) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def sign_again_by_a_stranger(folder: Path) -> None:
    (folder / SIGNATURE_NAME).write_text(sign(folder, private_pem()))


def replace_in_bundle(folder: Path, change: Callable[[dict], None]) -> None:
    document = json.loads((folder / SIGNATURE_NAME).read_text())
    change(document)
    (folder / SIGNATURE_NAME).write_text(json.dumps(document))


def swap_statement(folder: Path) -> None:
    """A statement for the tampered folder under the old signature."""
    flip(folder / "saved_model.pb")
    stranger = json.loads(sign(folder, private_pem()))
    replace_in_bundle(
        folder, lambda it: it["dsseEnvelope"].update(payload=stranger["dsseEnvelope"]["payload"])
    )


def other_payload_type(folder: Path) -> None:
    replace_in_bundle(folder, lambda it: it["dsseEnvelope"].update(payloadType="text/plain"))


def flipped_signature(folder: Path) -> None:
    def change(document: dict) -> None:
        (entry,) = document["dsseEnvelope"]["signatures"]
        raw = bytearray(base64.b64decode(entry["sig"]))
        raw[-1] ^= 1
        entry["sig"] = base64.b64encode(raw).decode()

    replace_in_bundle(folder, change)


def add_link(folder: Path) -> None:
    (folder / "assets.extra/passwd").symlink_to("/etc/passwd")


TAMPERING = {
    "a weight byte": (lambda folder: flip(folder / "saved_model.pb"), Altered, "altered: saved_model.pb"),
    "the manifest": (lambda folder: flip(folder / "manifest.json", 3), Altered, "altered: manifest.json"),
    "a file more": (
        lambda folder: (folder / "variables.index").touch(),
        Altered,
        "not signed: variables.index",
    ),
    "a file less": (
        lambda folder: (folder / "assets.extra/golden_requests").unlink(),
        Altered,
        "missing: assets.extra/golden_requests",
    ),
    "a link": (add_link, Altered, "plain files"),
    "no signature": (lambda folder: (folder / SIGNATURE_NAME).unlink(), Unsigned, "received none"),
    "an empty signature": (
        lambda folder: (folder / SIGNATURE_NAME).write_text(""),
        Unsigned,
        "Sigstore bundle",
    ),
    "no JSON": (
        lambda folder: (folder / SIGNATURE_NAME).write_text("[" * 100_000),
        Unsigned,
        "Sigstore bundle",
    ),
    "a stranger's signature": (sign_again_by_a_stranger, UnknownSigner, "one of the keys"),
    "another statement": (swap_statement, UnknownSigner, "one of the keys"),
    "another payload type": (other_payload_type, Unsigned, "Sigstore bundle"),
    "a bit of the signature": (flipped_signature, UnknownSigner, "one of the keys"),
}


@pytest.mark.parametrize(("tamper", "error", "words"), TAMPERING.values(), ids=TAMPERING.keys())
def test_whatever_was_tampered_with_is_refused_by_name(
    signed: Path, tamper: Callable[[Path], object], error: type[TrustError], words: str
) -> None:
    tamper(signed)
    with pytest.raises(error, match=words):
        check(signed)


def test_an_older_version_cannot_take_the_place_of_a_newer_one(signed: Path) -> None:
    newer = signed.rename(signed.parent / "8")
    with pytest.raises(Altered, match="received a signature for mnist version 7"):
        check(newer, version=8)


def test_another_model_cannot_take_this_ones_name(signed: Path) -> None:
    with pytest.raises(Altered, match="expected fraud version 7"):
        check(signed, name="fraud")


def test_the_repositorys_seal_may_come_later(signed: Path) -> None:
    (signed / "manifest.json.sha256").write_text("0" * 64)
    check(signed)


def test_a_folder_without_a_manifest_is_not_signed(tmp_path: Path) -> None:
    folder = version_folder(tmp_path)
    (folder / "manifest.json").unlink()
    with pytest.raises(Altered, match="export it first"):
        sign(folder, OURS)


@pytest.mark.parametrize(
    "pem",
    ["", "no key", public_of(OURS)[:60], public_of(rsa_pem())],
    ids=["empty", "text", "cut off", "RSA"],
)
def test_what_is_no_public_key_of_a_known_curve_is_refused(pem: str) -> None:
    with pytest.raises(UnreadableKey):
        read_keys(pem)


@pytest.mark.parametrize(
    ("pem", "password"),
    [
        (b"secret nonsense", None),
        (private_pem(password=b"right"), b"wrong"),
        (private_pem(password=b"right"), None),
        (rsa_pem(), None),
    ],
    ids=["nonsense", "wrong password", "no password", "RSA"],
)
def test_a_private_key_that_cannot_be_used_is_refused_without_being_quoted(
    tmp_path: Path, pem: bytes, password: bytes | None
) -> None:
    with pytest.raises(UnreadableKey) as refused:
        sign(version_folder(tmp_path), pem, password)
    assert "nonsense" not in str(refused.value)
    assert "right" not in str(refused.value).replace("wrong", "")
