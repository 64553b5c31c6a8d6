"""The heads that the parser has understood lately, by their exact bytes.

A client sends the same head with every request; at most the length of the body differs. What the strict parser made
of it once holds for the same bytes at the same place, the beginning of a message, so asking again would only cost
a third of the time that a kept answer takes. Nothing is taken here that the parser has not taken before.
"""

from serving.http1.messages import Head

END_OF_HEAD = b"\r\n\r\n"
LONGEST_BYTES = 2048
_MOST_HEADERS = 32
_MOST = 1024
"""With the limits above: some 9 MB, whatever clients send. Then all are forgotten and learnt anew."""


class Heads:
    """Of one server: whose connection it was does not matter to a parser."""

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}
        self.find = self._known.get
        """The head that exactly these bytes are, if it was remembered. An attribute: a method would double its cost."""

    def __len__(self) -> int:
        return len(self._known)

    def remember(self, octets: bytes, head: Head) -> None:
        """`octets` are `head` and the empty line behind it, no more and no less. One with many headers is not kept."""
        if len(head.headers) > _MOST_HEADERS:
            return
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[octets] = head
