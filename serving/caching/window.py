"""Whether a version's answers may be kept: its accuracy window, and whether it repeats itself.

                accuracy < start         start <= accuracy < stop          stop <= accuracy
    state:       below_start                   caching                       above_stop

An immature model's answers are not worth keeping, because clients should see its next version's soon; from
`start` on they are, until (if ever) `stop`. An accuracy that nobody measured is no reason to cache unless the
window starts at 0.
"""

import enum

from serving.settings import ServingSettings


class CacheState(enum.Enum):
    """Whether answers are kept, and why not; the value is the operator's explanation."""

    CACHING = "answers are kept"
    OFF = "output_cache_bytes is 0"
    BELOW_START = "the accuracy in the manifest is below accuracy_start"
    ABOVE_STOP = "the accuracy in the manifest has reached accuracy_stop"
    ACCURACY_UNKNOWN = "the manifest has no accuracy; accuracy_start=0 keeps answers all the same"
    NOT_DETERMINISTIC = "the model may answer the same question differently"
    BYPASSED = "questions repeat so rarely that looking them up costs more than it saves"

    @property
    def label(self) -> str:
        """As metrics spell it."""
        return self.name.lower()


def decide(settings: ServingSettings, accuracy: float | None, *, is_deterministic: bool) -> CacheState:
    """The state that a version is in for its whole life, apart from BYPASSED, which comes and goes."""
    if not settings.output_cache_bytes:
        return CacheState.OFF
    if not is_deterministic:
        return CacheState.NOT_DETERMINISTIC
    if accuracy is None:
        return CacheState.ACCURACY_UNKNOWN if settings.accuracy_start else CacheState.CACHING
    if accuracy < settings.accuracy_start:
        return CacheState.BELOW_START
    if settings.accuracy_stop is not None and accuracy >= settings.accuracy_stop:
        return CacheState.ABOVE_STOP
    return CacheState.CACHING
