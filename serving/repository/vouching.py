"""Loads only what somebody trusted vouches for, where an operator named keys (--model_signature_keys).

The keys come with the deployment and not with the model: whoever can replace a model in a registry must not be able to replace the
keys as well. What is refused counts as a version that cannot be loaded, so the one before goes on serving.
"""

import logging
from collections.abc import Callable
from pathlib import Path

from serving.errors import ModelError, SettingsError

log = logging.getLogger(__name__)

Vouch = Callable[[str, int, Path], None]
"""Told the model, the version and its folder; raises ModelError for one that nobody trusted vouches for."""


def make_vouch(pem: str) -> Vouch | None:
    """The check for these public keys in PEM, or None where there are none. Raises SettingsError for what is no key."""
    if not pem:
        return None
    import trust  # with its cryptography: only who asks for it has it in memory

    try:
        keys = trust.read_keys(pem)
    except trust.TrustError as error:
        raise SettingsError(f"model_signature_keys: {error}") from error

    def vouch(name: str, version: int, folder: Path) -> None:
        try:
            vouched = trust.verify(folder, keys, name=name, version=version)
        except trust.TrustError as error:
            raise ModelError(f"{name} version {version} is not vouched for: {error}") from error
        log.info("%s version %d: %d files signed by %s", name, version, vouched.files, vouched.key[:12])

    return vouch
