"""The access file: which identity may do what, known by the digest of its token or by its certificate's names.

    {"identities": [{
        "name": "shop",
        "token_sha256": ["<64 hexadecimal digits>"],
        "certificates": ["URI:spiffe://cluster.local/ns/shop/sa/web"],
        "models": {"mnist": ["infer", "describe"], "*": ["describe"]},
        "server": ["observe"]}]}

Tokens themselves are never written down, so the file may be read by whoever may read the deployment. A plain
digest is enough because tokens are random (32 bytes, see docs/serving.md): there is no dictionary to try.
"""

import dataclasses
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from serving.errors import SettingsError

INFER, DESCRIBE = "infer", "describe"
"""What may be done with a model: ask it, or read what it is and where its versions stand."""
OBSERVE, RELOAD = "observe", "reload"
"""What may be done with the server: read its numbers, or change what it serves."""
EVERY_MODEL: Final = "*"

_MODEL_VERBS, _SERVER_VERBS = frozenset({INFER, DESCRIBE}), frozenset({OBSERVE, RELOAD})
_KEYS = frozenset({"name", "token_sha256", "certificates", "models", "server"})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_CERTIFICATE = re.compile(r"(?:URI|DNS|CN):.+")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """One sender of requests, and what it may do."""

    name: str
    token_digests: tuple[bytes, ...]
    """SHA-256 of each token that is valid now; two while one replaces the other."""
    certificates: frozenset[str]
    models: Mapping[str, frozenset[str]]
    server: frozenset[str]

    def may(self, verb: str, model: str) -> bool:
        """Whether it may do `verb` with `model`, or with the server where `verb` is about that."""
        if verb in _SERVER_VERBS:
            return verb in self.server
        return verb in self.models.get(model, ()) or verb in self.models.get(EVERY_MODEL, ())


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """A whole access file."""

    identities: tuple[Identity, ...] = ()

    def of_token(self, token: str) -> Identity | None:
        """Whose token it is. Every digest is compared, in constant time, so that nothing is learnt from waiting."""
        shown = hashlib.sha256(token.encode(errors="surrogateescape")).digest()
        found = None
        for identity in self.identities:
            for known in identity.token_digests:
                if hmac.compare_digest(shown, known):
                    found = identity
        return found

    def of_certificate(self, names: Iterable[str]) -> Identity | None:
        """Whose certificate it is; None also when its names belong to several."""
        shown = frozenset(names)
        found = [identity for identity in self.identities if identity.certificates & shown]
        return found[0] if len(found) == 1 else None


def read_policy(text: str, *, source: str) -> Policy:
    """The policy that an access file holds.

    Raises SettingsError; what it quotes is never a digest or a token.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise SettingsError(f"expected an access file as JSON in {source}, got: {error}") from None
    if not isinstance(document, dict) or document.keys() != {"identities"}:
        raise SettingsError(f'expected {{"identities": [...]}} in {source}, got something else')
    if not isinstance(document["identities"], list):
        raise SettingsError(f"identities must be a list in {source}")
    read = [_read_identity(entry, f"{source}, identity {number}") for number, entry in _number(document)]
    _check_unique([identity.name for identity in read], f"name of an identity in {source}")
    _check_unique([value for identity in read for value in identity.token_digests], f"token in {source}")
    _check_unique([name for identity in read for name in identity.certificates], f"certificate in {source}")
    return Policy(identities=tuple(read))


def _number(document: Mapping[str, Any]) -> Iterable[tuple[int, Any]]:
    return enumerate(document["identities"], start=1)


def _read_identity(entry: Any, source: str) -> Identity:  # noqa: ANN401 - JSON
    if not isinstance(entry, dict) or not entry.keys() <= _KEYS:
        raise SettingsError(f"expected an object with some of {', '.join(sorted(_KEYS))} in {source}")
    name = entry.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SettingsError(f"expected a name of letters, digits, '.', '_' and '-' in {source}")
    digests = _read_texts(entry.get("token_sha256", []), _DIGEST, f"token_sha256 as hexadecimal in {source}")
    certificates = _read_texts(
        entry.get("certificates", []), _CERTIFICATE, f"certificates as URI:..., DNS:... or CN:... in {source}"
    )
    if not digests and not certificates:
        raise SettingsError(f"expected token_sha256 or certificates in {source}, got neither")
    models = entry.get("models", {})
    if not isinstance(models, dict):
        raise SettingsError(f'expected models as {{"NAME or *": ["infer", "describe"]}} in {source}')
    return Identity(
        name=name,
        token_digests=tuple(bytes.fromhex(digest) for digest in digests),
        certificates=frozenset(certificates),
        models={model: _read_verbs(verbs, _MODEL_VERBS, source) for model, verbs in models.items()},
        server=_read_verbs(entry.get("server", []), _SERVER_VERBS, source),
    )


def _read_texts(values: Any, pattern: re.Pattern[str], expected: str) -> list[str]:  # noqa: ANN401 - JSON
    if not isinstance(values, list) or not all(
        isinstance(value, str) and pattern.fullmatch(value) for value in values
    ):
        raise SettingsError(f"expected a list of {expected}")
    return values


def _read_verbs(values: Any, known: frozenset[str], source: str) -> frozenset[str]:  # noqa: ANN401 - JSON
    if not isinstance(values, list) or not all(isinstance(value, str) and value in known for value in values):
        raise SettingsError(f"expected a list of some of {', '.join(sorted(known))} in {source}")
    return frozenset(values)


def _check_unique(values: list[Any], what: str) -> None:
    if len(set(values)) < len(values):
        raise SettingsError(f"expected each {what} once, got one twice")
