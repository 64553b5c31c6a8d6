"""TLS contexts from an SSLConfig, for servers on asyncio, and the names in a client's certificate."""

import os
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from serving.errors import SettingsError
from serving.text_protos import TlsMaterial, read_tls


def server_context(path: str) -> ssl.SSLContext:
    """The context that --ssl_config_file describes; with `client_verify`, clients must show a certificate.

    Raises SettingsError when the file, the key or a certificate cannot be used.
    """
    material = read_tls(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        _load_pair(context, material)
        if material.authority:
            context.load_verify_locations(cadata=material.authority)
        elif material.verifies_clients:
            context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
    except ssl.SSLError as error:
        raise SettingsError(
            f"expected a key and certificates as PEM in {path}, got: {error.reason}"
        ) from error
    if material.verifies_clients:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _load_pair(context: ssl.SSLContext, material: TlsMaterial) -> None:
    # OpenSSL takes a key from a file only. It lives in memory where the system offers that, and for a moment.
    folder = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - mkstemp makes it ours alone
    descriptor, name = tempfile.mkstemp(dir=folder)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{material.key}\n{material.certificate}\n")
        context.load_cert_chain(name)
    finally:
        Path(name).unlink()


def certificate_names(certificate: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The names of a verified certificate, as `URI:...`, `DNS:...` or `CN:...`; none without one.

    It comes as `ssl.SSLSocket.getpeercert` gives it. The common name counts only where there is no alternative
    name (RFC 6125, section 6.4.4).
    """
    if not certificate:
        return ()
    alternatives = certificate.get("subjectAltName", ())
    names = tuple(f"{kind}:{value}" for kind, value in alternatives if kind in {"URI", "DNS"})
    if names:
        return names
    parts = [pair for relative in certificate.get("subject", ()) for pair in relative]
    return tuple(f"CN:{value}" for kind, value in parts if kind == "commonName")
