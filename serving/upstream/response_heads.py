"""Heads of responses that were seen before: the same octets mean the same, so they are not parsed again.

An upstream's answers differ in their bodies; of the heads a few kinds come again and again (with a Date, one a
second). Only heads whose body has a plain content-length are kept, from responses that the parser has accepted.
"""

from dataclasses import dataclass
from typing import Final

from serving.http1 import Response

MAX_KEPT_HEADS: Final = 64
MAX_HEAD_BYTES: Final = 1024
_END: Final = b"\r\n\r\n"
_WITHOUT_BODY: Final = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class KnownHead:
    """What a head says."""

    status: int
    content_type: str
    headers: tuple[tuple[str, str], ...]
    body_bytes: int


class ResponseHeads:
    """Those of one upstream."""

    def __init__(self) -> None:
        self._known: dict[bytes, KnownHead] = {}

    def read(self, data: bytes) -> Response | None:
        """The response that `data` is from its first octet to its last, if its head is known."""
        end = data.find(_END, 0, MAX_HEAD_BYTES)
        if end < 0:
            return None
        start = end + len(_END)
        known = self._known.get(data[:start])
        if known is None or len(data) - start != known.body_bytes:
            return None
        return Response(
            body=data[start:], status=known.status, content_type=known.content_type, headers=known.headers
        )

    def learn(self, data: bytes, response: Response) -> None:
        """`data` was the whole of `response`, on a connection that stays open."""
        end = data.find(_END, 0, MAX_HEAD_BYTES)
        start = end + len(_END)
        head = data[:start].lower()
        is_plain = head.count(b"content-length:") == 1 and b"transfer-encoding" not in head
        if end < 0 or not is_plain or response.status < 200 or response.status in _WITHOUT_BODY:
            return
        if len(data) - start != len(response.body):  # something stood before or behind it
            return
        if len(self._known) >= MAX_KEPT_HEADS:
            self._known.clear()
        self._known[data[:start]] = KnownHead(
            response.status, response.content_type, response.headers, len(response.body)
        )
