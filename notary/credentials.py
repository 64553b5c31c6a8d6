"""What a user has logged in with: Docker's own file, and the helpers that it names.

Format: `config.json` of the Docker CLI (`auths`, `credHelpers`, `credsStore`) and docker-credential-helpers' protocol: the registry on
standard input of `docker-credential-NAME get`, and JSON on its output. It is what BuildKit pushed the image with.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_TOKEN_USER: Final = "<token>"  # noqa: S105 - how helpers mark that the secret is a token
_PATIENCE_SECONDS: Final = 30


@dataclass(frozen=True, kw_only=True)
class Login:
    """A name with a password, or a token that is exchanged for others."""

    user: str = ""
    secret: str = field(repr=False)

    @property
    def is_token(self) -> bool:
        """Whether the secret is a token and no password."""
        return self.user in {"", _TOKEN_USER}

    def basic(self) -> str:
        """Return the value of an `Authorization` header (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.secret}".encode()).decode()


def login_for(registry: str, environment: Mapping[str, str] | None = None) -> Login | None:
    """Return what the user has logged in to a registry with; None where there is nothing, or nothing that can be read."""
    settings = _settings(os.environ if environment is None else environment)
    helper = settings.get("credHelpers", {}).get(registry) or settings.get("credsStore")
    if helper:
        return _from_helper(helper, registry)
    return _from_file(settings.get("auths", {}).get(registry))


def _settings(environment: Mapping[str, str]) -> Mapping[str, Any]:
    folder = environment.get("DOCKER_CONFIG") or Path(environment.get("HOME", "/")) / ".docker"
    try:
        settings = json.loads((Path(folder) / "config.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return settings if isinstance(settings, Mapping) else {}


def _from_file(entry: Mapping[str, str] | None) -> Login | None:
    if not entry:
        return None
    if token := entry.get("identitytoken"):
        return Login(secret=token)
    try:
        user, _, password = base64.b64decode(entry.get("auth", "")).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return Login(user=user, secret=password) if user else None


def _from_helper(helper: str, registry: str) -> Login | None:
    try:
        told = subprocess.run(
            [f"docker-credential-{helper}", "get"],
            input=registry,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
        )
        found = json.loads(told.stdout)
        return Login(user=found["Username"], secret=found["Secret"])
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return None
