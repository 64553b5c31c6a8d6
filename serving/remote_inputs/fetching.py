"""Fetches one input over HTTP/1.1: no redirects, no cookies, no compression, and never more than is allowed.

Each fetch has a connection of its own, as inputs come from many files of few hosts and last for one answer; what
is asked about again is named by its digest.
"""

import asyncio
import contextlib
import ssl
from typing import Final

import httptools

from serving.errors import InvalidRequest, RequestTooLarge, Unavailable
from serving.remote_inputs.places import Place

_PIECE_BYTES: Final = 1 << 16
_GREATEST_HEAD_BYTES: Final = 1 << 14


class _Response:
    """What the parser has understood so far."""

    def __init__(self, limit_bytes: int) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.body = bytearray()
        self.is_whole = False
        self.has_length = False
        self._limit_bytes = limit_bytes

    def on_header(self, name: bytes, _value: bytes) -> None:
        self.has_length |= name.lower() in {b"content-length", b"transfer-encoding"}

    def on_body(self, body: bytes) -> None:
        if len(self.body) + len(body) > self._limit_bytes:
            raise RequestTooLarge(
                f"expected a remote input of at most {self._limit_bytes} bytes together with the request, got more"
            )
        self.body += body

    def on_message_complete(self) -> None:
        self.is_whole = True


async def fetch(place: Place, *, limit_bytes: int, tls: ssl.SSLContext) -> bytes:
    """The content at `place`. Runs in a task, under its caller's deadline.

    Raises RequestTooLarge beyond `limit_bytes`, InvalidRequest when the host answers otherwise than with 200,
    Unavailable when it cannot be reached or breaks off.
    """
    try:
        reader, writer = await asyncio.open_connection(
            place.host, place.port, ssl=tls if place.scheme == "https" else None
        )
    except OSError as error:
        raise Unavailable(f"the host of a remote input cannot be reached: {type(error).__name__}") from error
    try:
        writer.write(_head(place))
        return await _read(reader, limit_bytes)
    except OSError as error:
        raise Unavailable(f"the host of a remote input broke off: {type(error).__name__}") from error
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _head(place: Place) -> bytes:
    host = f"[{place.host}]" if ":" in place.host else place.host
    lines = [
        f"GET {place.target} HTTP/1.1",
        f"host: {host}:{place.port}",
        "accept-encoding: identity",
        "connection: close",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


async def _read(reader: asyncio.StreamReader, limit_bytes: int) -> bytes:
    response, read_bytes = _Response(limit_bytes), 0
    while not response.is_whole:
        piece = await reader.read(_PIECE_BYTES)
        if not piece:
            break
        read_bytes += len(piece)
        if read_bytes > 2 * (limit_bytes + _GREATEST_HEAD_BYTES):
            raise RequestTooLarge("expected a remote input in fewer bytes of chunks and headers")
        _feed(response, piece)
    if not response.is_whole and response.has_length:
        raise Unavailable("the host of a remote input broke off before its end")
    status = response.parser.get_status_code() if read_bytes else 0
    if status != 200:
        raise InvalidRequest(f"expected the host of a remote input to answer with 200, got {status}")
    return bytes(response.body)


def _feed(response: _Response, piece: bytes) -> None:
    try:
        response.parser.feed_data(piece)
    except httptools.HttpParserCallbackError as error:
        if isinstance(error.__context__, RequestTooLarge):
            raise error.__context__ from None
        raise
    except httptools.HttpParserError as error:
        raise Unavailable("the host of a remote input answers otherwise than in HTTP/1.1") from error
