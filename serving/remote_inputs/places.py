"""Which URIs may be fetched: those below a listed one, on the same scheme, host and port, and nothing cleverer.

A server that fetches what strangers name is a way into its network (server-side request forgery). So a URI is taken
apart once, refused unless every part is plain, compared part by part, and fetched from the parts that were compared.
"""

import dataclasses
import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

from serving.errors import InvalidRequest, PermissionRefused, SettingsError

_PORTS: Final = {"http": 80, "https": 443}
_LONGEST: Final = 2048
_PLAIN: Final = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")
"""RFC 3986, section 2, without `#`: a fragment is never sent."""
_HIDDEN: Final = re.compile(r"%(?:2e|2f|5c|00)", re.IGNORECASE)
"""Escapes of what separates or climbs: two readers may see different paths in them."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where something is, taken apart."""

    scheme: str
    host: str
    port: int
    path: str
    query: str = ""

    @property
    def target(self) -> str:
        """What is asked of the host."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def holds(self, other: "Place") -> bool:
        """Whether `other` is below this one."""
        own, others = (self.scheme, self.host, self.port), (other.scheme, other.host, other.port)
        return own == others and other.path.startswith(self.path)


def parse_prefixes(text: str) -> tuple[Place, ...]:
    """The places that a setting lists, separated by commas. Raises SettingsError."""
    places = []
    for prefix in filter(None, (part.strip() for part in text.split(","))):
        place = _take_apart(prefix)
        if place is None or place.query or not place.path.endswith("/"):
            raise SettingsError(
                f"remote_input_prefixes must be URIs like https://host/folder/ separated by commas, got {prefix!r}"
            )
        places.append(place)
    return tuple(places)


def locate(uri: str, prefixes: Sequence[Place]) -> Place:
    """Where `uri` is. Raises InvalidRequest when it is no plain URI, PermissionRefused when it is not below a listed one."""
    place = _take_apart(uri)
    if place is None:
        raise InvalidRequest(
            f"expected the uri of an input as http(s)://host/path, plain and of at most {_LONGEST} characters"
        )
    if not any(prefix.holds(place) for prefix in prefixes):
        raise PermissionRefused(
            "inputs are fetched from listed places only, and this uri is not below one; send it"
        )
    return place


def _take_apart(uri: str) -> Place | None:
    if len(uri) > _LONGEST or not _PLAIN.fullmatch(uri) or _HIDDEN.search(uri):
        return None
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or not _is_plain(parts):
        return None
    return Place(
        scheme=parts.scheme,
        host=parts.hostname,
        port=_PORTS[parts.scheme] if port is None else port,
        path=parts.path or "/",
        query=parts.query,
    )


def _is_plain(parts: SplitResult) -> bool:
    return "@" not in parts.netloc and not {".", ".."} & set(parts.path.split("/"))
