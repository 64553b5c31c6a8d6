"""TLS contexts from an SSLConfig, for servers on asyncio."""

import os
import ssl
import tempfile
from pathlib import Path

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
