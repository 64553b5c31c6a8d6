"""The keys that images are signed with and asked for by, read before anything is declared: a key that is none ends the preview."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from components.config.fields import text_of
from components.config.stack_sections import ImagesConfig
from components.errors import ConfigError, config_error

if TYPE_CHECKING:
    from notary import Office


def open_office(images: ImagesConfig) -> "Office | None":
    """Return what signs and vouches for the images of a stack; None where it names no keys.

    Raises ConfigError for a key that cannot be read, or a password that is not there.
    """
    if not images.signing_key and not images.signature_keys:
        return None
    from notary import Office
    from trust import UnreadableKey

    private = text_of(Path(images.signing_key), "images.signingKey") if images.signing_key else ""
    password = _password(images.signing_password_variable)
    try:
        Office.open(private_pem=private, password=password) if private else None
    except UnreadableKey as error:
        raise ConfigError(f"images.signingKey: {error}") from error
    try:
        trusted = "\n".join(images.signature_keys)
        return Office.open(private_pem=private, password=password, trusted_pem=trusted)
    except UnreadableKey as error:
        raise ConfigError(f"images.signatureKeys: {error}") from error


def _password(variable: str) -> str:
    if variable and variable not in os.environ:
        key, remedy = "images.signingPasswordVariable", "set that variable to the password, or leave it out"
        raise config_error(key, "a variable of the environment", variable, remedy)
    return os.environ[variable] if variable else ""
