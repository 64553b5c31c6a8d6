"""Where an upstream listens: `HOST:PORT`, or `unix:PATH` for a socket in the same pod."""

import dataclasses

from serving.errors import SettingsError

_UNIX = "unix:"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Either a socket's path or host and port."""

    host: str = ""
    port: int = 0
    path: str | None = None

    def __str__(self) -> str:
        if self.path is not None:
            return _UNIX + self.path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str, *, source: str) -> Address:
    """`text` as an address; `source` is the setting's name. Raises SettingsError."""
    if text.startswith(_UNIX):
        path = text.removeprefix(_UNIX)
        if path:
            return Address(path="/" + path.lstrip("/") if path.startswith("//") else path)
    else:
        host, colon, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if host and colon and port.isascii() and port.isdecimal() and 0 < int(port) < 65536:
            return Address(host=host, port=int(port))
    raise SettingsError(f"{source} must be HOST:PORT or unix:PATH, got {text!r}")
