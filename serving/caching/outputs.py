"""Finished answers by the exact question: least recently used goes first, within a budget of bytes.

The key is the whole question, not a digest of it: two questions can then never share an answer, and hashing
5 KB costs 2 us either way. It starts with the serial number of the load, so a new version, or the same one
loaded again, never sees an older answer. Once the cache is full, a question is let in only when it was asked
before, or a stream of questions that never repeat would throw out those that do.
"""

from collections import OrderedDict

Key = tuple[int, str, bytes]
"""The load's serial, the kind of question, and its bytes as they came."""

_ENTRY_BYTES = 300
"""What Python adds to an entry: tuple, two headers of bytes, the dictionary's slot and the order's links."""
_GREATEST_SHARE = 8
"""An entry may take at most this part of the budget."""
_REMEMBERED = 8192


class OutputCache:
    """One cache for all models of the server. Not for several threads."""

    def __init__(self, budget_bytes: int) -> None:
        self._budget = budget_bytes
        self._entries: OrderedDict[Key, bytes] = OrderedDict()
        self._asked_once: set[int] = set()
        self.size_bytes = 0
        self.evictions = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> bytes | None:
        """The answer to `key`, now the most recently used one."""
        answer = self._entries.get(key)
        if answer is not None:
            self._entries.move_to_end(key)
        return answer

    def put(self, key: Key, answer: bytes) -> None:
        """Keep an answer, if it has a place."""
        size = _size(key, answer)
        if key in self._entries or size * _GREATEST_SHARE > self._budget:
            return
        if self.size_bytes + size > self._budget and not self._was_asked_before(key):
            return
        self._entries[key] = answer
        self.size_bytes += size
        while self.size_bytes > self._budget:
            self._evict()

    def forget(self, serial: int) -> None:
        """Drop the answers of a load that has ended."""
        for key in [key for key in self._entries if key[0] == serial]:
            self.size_bytes -= _size(key, self._entries.pop(key))

    def _evict(self) -> None:
        key, answer = self._entries.popitem(last=False)
        self.size_bytes -= _size(key, answer)
        self.evictions += 1

    def _was_asked_before(self, key: Key) -> bool:
        # Digests of 8 bytes are enough here: a collision lets one entry in early.
        digest = hash(key)
        if digest in self._asked_once:
            return True
        if len(self._asked_once) >= _REMEMBERED:
            self._asked_once.clear()
        self._asked_once.add(digest)
        return False


def _size(key: Key, answer: bytes) -> int:
    return len(key[2]) + len(answer) + _ENTRY_BYTES
