"""What travels beside a request, whatever its transport: how long its asker waits, and who asks."""

import dataclasses
from collections.abc import Mapping


# Not frozen: one is made for every request, and freezing doubles what that costs (0.9 us against 0.4).
@dataclasses.dataclass(kw_only=True, slots=True)
class Call:
    """The circumstances of one request."""

    deadline: float | None = None
    """On the running loop's clock; None when the asker waits for ever."""
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Headers or gRPC metadata, names in lower case."""

    def remaining_seconds(self, now: float) -> float | None:
        """How long the asker still waits at `now`, not below zero."""
        return None if self.deadline is None else max(0.0, self.deadline - now)
