"""Whether looking questions up is worth its price.

    WATCHING ──a window of lookups that saved less than they cost──> BYPASSING
       ^                                                                │
       └──────── among a few samples, enough would have hit ────────────┘

Hashing, comparing and storing a question cost about 1 us and 1 ns for each of its bytes; a hit saves parsing,
waiting and running. Pictures that never repeat would pay for nothing; so after a window that did not pay, only
one question in 64 is looked up, until these pay again.
"""

_WINDOW = 1024
_SAMPLE_ONE_IN = 64
_SAMPLES = 64
_LOOKUP_SECONDS, _BYTE_SECONDS = 1e-6, 1e-9


class Thrift:
    """The bookkeeping of one version."""

    def __init__(self) -> None:
        self.is_bypassing = False
        self._asked = 0
        self._lookups = 0
        self._spent_seconds = self._saved_seconds = 0.0

    def wants_lookup(self) -> bool:
        """Whether the next question should be looked up."""
        if not self.is_bypassing:
            return True
        self._asked += 1
        return self._asked % _SAMPLE_ONE_IN == 0

    def note(self, size_bytes: int, saved_seconds: float | None) -> None:
        """A lookup of a question of that size; what a hit saved, None for a miss."""
        self._lookups += 1
        self._spent_seconds += _LOOKUP_SECONDS + size_bytes * _BYTE_SECONDS
        self._saved_seconds += saved_seconds or 0.0
        if self._lookups >= (_SAMPLES if self.is_bypassing else _WINDOW):
            self.is_bypassing = self._saved_seconds < self._spent_seconds
            self._lookups = 0
            self._spent_seconds = self._saved_seconds = 0.0
