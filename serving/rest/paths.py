"""The paths of TensorFlow Serving's REST API.

    GET  /v1/models/NAME[/versions/N|/labels/L]
    GET  /v1/models/NAME[/versions/N|/labels/L]/metadata
    GET  /v1/models/NAME[/versions/N|/labels/L]/openapi.json and /docs: ours
    POST /v1/models/NAME[/versions/N|/labels/L]:(predict|classify|regress)

tensorflow_serving/model_servers/http_rest_api_util.cc. Segments are decoded once, and what could hide a
separator is refused.
"""

import dataclasses
import functools
import re

from serving.errors import InvalidRequest
from serving.http1.segments import decode_segment

PREFIX = "/v1/"

_TARGET = r"/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
_ASK = re.compile(_TARGET + r":(?P<verb>classify|regress|predict)", re.IGNORECASE | re.ASCII)
_LOOK = re.compile(_TARGET + r"(?:/(?P<verb>metadata|openapi\.json|docs))?", re.IGNORECASE | re.ASCII)
_GREATEST_VERSION = 2**63 - 1


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What a path points at."""

    name: str
    version: int | None
    label: str | None
    verb: str
    """`predict`, `classify`, `regress`, `metadata`, `openapi.json`, `docs` or `status`."""


@functools.lru_cache(maxsize=1024)
def parse_path(method: str, path: str) -> Target:
    """Raises InvalidRequest in TensorFlow Serving's words when there is no such path for this method."""
    patterns = {"POST": _ASK, "GET": _LOOK, "HEAD": _LOOK}
    match = patterns[method].fullmatch(path) if method in patterns else None
    if match is None:
        raise InvalidRequest(f"Malformed request: {method} {path}")
    name, label = _decode(match["name"]), match["label"] and _decode(match["label"])
    version = int(match["version"]) if match["version"] and len(match["version"]) <= 20 else None
    if name is None or (match["label"] and label is None):
        raise InvalidRequest(f"Malformed request: {method} {path}")
    if match["version"] and (version is None or version > _GREATEST_VERSION):
        raise InvalidRequest(f"Failed to convert version: {match['version'][:40]} to numeric.")
    return Target(name=name, version=version, label=label or None, verb=(match["verb"] or "status").lower())


def _decode(segment: str) -> str | None:
    return segment if segment.isalnum() and segment.isascii() else decode_segment(segment)
