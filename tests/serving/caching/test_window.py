import pytest

from serving.caching import CacheState, decide
from serving.settings import ServingSettings


@pytest.mark.parametrize(
    ("accuracy", "start", "stop", "state"),
    [
        (0.79, 0.80, None, CacheState.BELOW_START),
        (0.80, 0.80, None, CacheState.CACHING),
        (1.0, 0.80, None, CacheState.CACHING),
        (0.94, 0.80, 0.95, CacheState.CACHING),
        (0.95, 0.80, 0.95, CacheState.ABOVE_STOP),
        (0.0, 0.0, None, CacheState.CACHING),
        (None, 0.80, None, CacheState.ACCURACY_UNKNOWN),
        (None, 0.0, None, CacheState.CACHING),
    ],
)
def test_the_accuracy_window_decides(
    accuracy: float | None, start: float, stop: float | None, state: CacheState
) -> None:
    settings = ServingSettings(accuracy_start=start, accuracy_stop=stop)
    assert decide(settings, accuracy, is_deterministic=True) is state


def test_a_model_that_does_not_repeat_itself_is_never_cached() -> None:
    assert decide(ServingSettings(), 1.0, is_deterministic=False) is CacheState.NOT_DETERMINISTIC


def test_a_budget_of_nothing_is_off() -> None:
    assert decide(ServingSettings(output_cache_bytes=0), 1.0, is_deterministic=True) is CacheState.OFF


@pytest.mark.parametrize("state", CacheState, ids=lambda state: state.label)
def test_every_state_explains_itself(state: CacheState) -> None:
    assert len(state.value) > 15
