"""What a head must be beyond what the parser checks (RFC 9112, sections 2.3 and 3.2).

A proxy in front may have decided by another Host, or by another of two equal headers, than we would: what can be read in
two ways is refused, or read as one.
"""

from collections.abc import MutableMapping

_VERSIONS = frozenset({"1.0", "1.1"})


def add_field(headers: MutableMapping[str, str], name: str, value: str) -> None:
    """Take a header; one that comes twice is one list, as RFC 9110, section 5.3, says, and no choice between two."""
    known = headers.get(name)
    headers[name] = value if known is None else f"{known}, {value}"


def objection(version: str, headers: MutableMapping[str, str]) -> str:
    """Why a request with these headers is refused; empty when it is not."""
    if version not in _VERSIONS:
        return f"HTTP/1.0 or HTTP/1.1 is spoken here, got HTTP/{version}"
    host = headers.get("host")
    if host is None and version == "1.1":
        return "expected a header host, got none"
    if host is not None and ("," in host or " " in host.strip()):
        return "expected one header host with one name, got several"
    return ""
