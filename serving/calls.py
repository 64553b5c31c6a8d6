"""What travels beside a request, whatever its transport: how long its asker waits, and who asks."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Final

CALLER: Final = ":caller"
"""Under this name an admitted request's metadata tells who sent it; no client can send a name with a colon in front."""
REQUEST_ID_HEADER: Final = "x-request-id"
"""What a request is called by its client, in the access log and in its answer."""
TENANT_HEADER: Final = "x-tenant"
"""For whom a request is; whoever has many waiting is served less often."""


@dataclasses.dataclass(kw_only=True, slots=True)
class Trace:
    """What the access log wants to know of a request, filled in by those it passes; made only where there is one."""

    caller: str = ""
    model: str = ""
    version: int | None = None
    is_hit: bool | None = None
    """Whether the answer was kept; None where nothing was looked up."""
    queue_seconds: float | None = None


# Not frozen: one is made for every request, and freezing doubles what that costs (0.9 us against 0.4).
@dataclasses.dataclass(kw_only=True, slots=True)
class Call:
    """The circumstances of one request."""

    deadline: float | None = None
    """On the running loop's clock; None when the asker waits for ever."""
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Headers or gRPC metadata, names in lower case."""
    certificate_names: tuple[str, ...] = ()
    """Who its sender is by mutual TLS, such as `URI:spiffe://...`; told only where somebody asks (`serving.access`)."""
    trace: Trace | None = None
    add_trailing_metadata: Callable[[str, str], None] | None = None
    """Sends a name and a value behind the answer, or behind the failure, where the transport has such a place."""

    def remaining_seconds(self, now: float) -> float | None:
        """How long the asker still waits at `now`, not below zero."""
        return None if self.deadline is None else max(0.0, self.deadline - now)


Finish = Callable[[bytes | None, BaseException | None], None]
"""Told once: an answer, or why there is none (a ServingError, unless there is a defect)."""
Cancel = Callable[[], None]
"""Nobody waits any more. What began is told so, and still finishes."""


def forget() -> None:
    """The `Cancel` of what has finished already."""
