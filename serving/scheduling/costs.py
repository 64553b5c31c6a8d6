"""What a call is expected to cost, learnt from the calls before it.

A moving average for each power of two of rows. A number of rows that was never seen is scaled from the nearest
that was: calls are linear in rows beyond a fixed part, so this errs on the side of too much for small ones.
"""

_FIRST_GUESS_SECONDS = 0.001
_NEWEST_SHARE = 0.1
"""Low enough that one slow call among hundreds does not reorder the queue."""


class Costs:
    """The costs of one signature of one version."""

    def __init__(self, *, seconds_per_row: float = _FIRST_GUESS_SECONDS) -> None:
        self._first_guess = seconds_per_row
        self._averages: dict[int, float] = {}

    def estimate(self, rows: int) -> float:
        """Seconds that a call with so many rows should take."""
        size = rows.bit_length()
        known = self._averages.get(size)
        if known is not None:
            return known
        if not self._averages:
            return self._first_guess * rows
        nearest = min(self._averages, key=lambda other: abs(other - size))
        return float(self._averages[nearest] * 2.0 ** (size - nearest))

    def is_known(self, rows: int) -> bool:
        """Whether a call of about that size was seen."""
        return rows.bit_length() in self._averages

    def learn(self, rows: int, seconds: float) -> None:
        size = rows.bit_length()
        average = self._averages.get(size, seconds)
        self._averages[size] = average + _NEWEST_SHARE * (seconds - average)
