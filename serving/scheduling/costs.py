"""What a call is expected to cost, learnt from the calls before it.

A moving average for each power of two of rows. A number of rows that was never seen is scaled down from the next
greater that was, or else up from the greatest. A call has a fixed part beside its rows, so scaling down says too
little and scaling up says too much: nobody may be refused for a cost that was scaled up.
"""

_FIRST_GUESS_SECONDS = 0.001
_NEWEST_SHARE = 0.1
"""Low enough that one slow call among hundreds does not reorder the queue."""


class Costs:
    """The costs of one signature of one version."""

    def __init__(self, *, seconds_per_row: float = _FIRST_GUESS_SECONDS) -> None:
        self._first_guess = seconds_per_row
        self._averages: dict[int, float] = {}
        self._greatest = 0
        """The greatest size that was seen."""
        self._nearest: dict[int, tuple[int, float]] = {}
        """For each size that was asked: the size to go by, and what to multiply with. Emptied when one is added."""

    def estimate(self, rows: int) -> float:
        """Seconds that a call with so many rows should take."""
        if not self._averages:
            return self._first_guess * rows
        size = rows.bit_length()
        found = self._nearest.get(size)
        if found is None:
            greater = [other for other in self._averages if other >= size]
            nearest = min(greater) if greater else max(self._averages)
            found = self._nearest[size] = nearest, 2.0 ** (size - nearest)
        return self._averages[found[0]] * found[1]

    def is_modest(self, rows: int) -> bool:
        """Whether the estimate for so many rows says rather too little than too much."""
        return self._greatest >= rows.bit_length()

    def is_known(self, rows: int) -> bool:
        """Whether a call of about that size was seen."""
        return rows.bit_length() in self._averages

    def learn(self, rows: int, seconds: float) -> None:
        size = rows.bit_length()
        if size not in self._averages:
            self._averages[size] = seconds
            self._greatest = max(self._greatest, size)
            self._nearest.clear()
        self._averages[size] += _NEWEST_SHARE * (seconds - self._averages[size])
