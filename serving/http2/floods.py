"""What a peer may do for free, by rate: a bucket that each costly frame takes from and time refills.

One bucket counts cancelled calls, the other frames that carry no message but make us work or answer. A
peer within the rate is never told; one beyond it loses its connection with ENHANCE_YOUR_CALM.
"""

from serving.http2.codes import ErrorCode
from serving.http2.errors import ConnectionFault


class Allowance:
    """A token bucket on the loop's clock."""

    __slots__ = ("_burst", "_left", "_per_second", "_refilled_at", "_what")

    def __init__(self, what: str, *, burst: int, per_second: float, now: float) -> None:
        self._what = what
        self._burst = burst
        self._per_second = per_second
        self._left = float(burst)
        self._refilled_at = now

    def give(self, count: int) -> None:
        """Put `count` back, earned by other means than waiting."""
        self._left = min(float(self._burst), self._left + count)

    def take(self, now: float) -> None:
        """Take one; raises `ConnectionFault` when none is left."""
        earned = (now - self._refilled_at) * self._per_second
        self._left = min(float(self._burst), self._left + earned)
        self._refilled_at = now
        if self._left < 1:
            raise ConnectionFault(
                ErrorCode.ENHANCE_YOUR_CALM,
                f"at most {self._burst} {self._what} at once and {self._per_second:g} a second are allowed",
            )
        self._left -= 1
