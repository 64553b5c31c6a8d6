"""The memory that half-received messages may occupy, shared by all connections of a server.

A message is counted with its whole length as soon as its prefix tells it, and is refused when that does
not fit: nothing waits for memory, so nothing can wait for each other.
"""


class ReceiveBudget:
    """Bytes reserved for messages that are still arriving."""

    def __init__(self, limit_bytes: int) -> None:
        self.used_bytes = 0
        self._limit_bytes = limit_bytes

    def reserve(self, size_bytes: int) -> bool:
        """Take `size_bytes`, or nothing and return False."""
        if self.used_bytes + size_bytes > self._limit_bytes:
            return False
        self.used_bytes += size_bytes
        return True

    def release(self, size_bytes: int) -> None:
        self.used_bytes -= size_bytes
