"""Keys and a version folder to sign."""

import json
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

CURVES: dict[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
}


def private_pem(curve: str = "P-256", *, password: bytes | None = None) -> bytes:
    return _private(ec.generate_private_key(CURVES[curve]), password)


def known_pem() -> bytes:
    """The same private key every time: where a test signs what stays, it signs once."""
    return _private(ec.derive_private_key(7, ec.SECP256R1()), None)


def rsa_pem() -> bytes:
    return _private(rsa.generate_private_key(public_exponent=65537, key_size=2048), None)


def public_of(pem: bytes) -> str:
    key = serialization.load_pem_private_key(pem, None)
    text = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return text.decode()


def version_folder(where: Path, version: int = 7) -> Path:
    folder = where / str(version)
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"a graph" * 1000)
    (folder / "assets.extra/golden_requests").write_bytes(b"requests")
    (folder / "manifest.json").write_text(json.dumps({"name": "mnist", "version": version}))
    return folder


def _private(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, password: bytes | None) -> bytes:
    encryption: serialization.KeySerializationEncryption = (
        serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    )
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
