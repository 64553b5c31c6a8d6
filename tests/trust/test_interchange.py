"""What is signed here is accepted by the OpenSSF's own package, and the other way round."""

from pathlib import Path

import model_signing.signing
import model_signing.verifying
import pytest

from tests.trust.folders import private_pem, public_of, version_folder
from trust import SIGNATURE_NAME, read_keys, sign, verify


@pytest.mark.parametrize("curve", ["P-256", "P-384"])
def test_the_openssf_package_accepts_our_signatures(tmp_path: Path, curve: str) -> None:
    key, folder = private_pem(curve), version_folder(tmp_path)
    (folder / SIGNATURE_NAME).write_text(sign(folder, key))
    public = tmp_path / "key.pub"
    public.write_text(public_of(key))
    config = model_signing.verifying.Config().use_elliptic_key_verifier(public_key=public)
    config.verify(folder, folder / SIGNATURE_NAME)
    (folder / "saved_model.pb").write_bytes(b"tampered")
    with pytest.raises(ValueError, match="mismatch"):
        config.verify(folder, folder / SIGNATURE_NAME)


def test_we_accept_the_signatures_of_the_openssf_package(tmp_path: Path) -> None:
    key, folder = private_pem(), version_folder(tmp_path)
    private = tmp_path / "key.pem"
    private.write_bytes(key)
    config = model_signing.signing.Config().use_elliptic_key_signer(private_key=private)
    config.sign(folder, folder / SIGNATURE_NAME)
    assert verify(folder, read_keys(public_of(key)), name="mnist", version=7).files == 3
