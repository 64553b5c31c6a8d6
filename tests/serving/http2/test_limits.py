from typing import Any

import pytest

from serving.http2 import Limits, LimitsError
from serving.http2.codes import ErrorCode
from serving.http2.errors import ConnectionFault
from serving.http2.floods import Allowance


@pytest.mark.parametrize(
    ("name", "allowed", "refused"),
    [
        ("max_connections", 1, 0),
        ("max_concurrent_streams", 1, 0),
        ("max_frame_bytes", 2**14, 2**14 - 1),
        ("max_frame_bytes", 2**24 - 1, 2**24),
        ("stream_window_bytes", 65_535, 65_534),
        ("stream_window_bytes", 2**31 - 1, 2**31),
        ("connection_window_bytes", 65_535, 65_534),
        ("receive_budget_bytes", 4 * 1024 * 1024 + 5, 4 * 1024 * 1024 + 4),
        ("send_seconds", 0.001, 0),
        ("burst_of_resets", 1, 0),
    ],
)
def test_a_limit_outside_the_protocol_is_refused_with_its_name(name: str, allowed: Any, refused: Any) -> None:
    Limits(**{name: allowed})
    with pytest.raises(LimitsError, match=f"{name} must be at least"):
        Limits(**{name: refused})


def test_connections_are_looked_at_four_times_within_the_shortest_patience() -> None:
    assert Limits().patience_seconds == 1.0
    assert Limits(body_seconds=0.2).patience_seconds == 0.05


def test_an_allowance_is_spent_and_comes_back_with_time() -> None:
    allowance = Allowance("pings", burst=3, per_second=2, now=100.0)
    for _ in range(3):
        allowance.take(100.0)
    with pytest.raises(ConnectionFault, match="at most 3 pings at once and 2 a second") as fault:
        allowance.take(100.4)
    assert fault.value.code == ErrorCode.ENHANCE_YOUR_CALM
    allowance.take(100.6)


def test_an_allowance_never_saves_more_than_its_burst() -> None:
    allowance = Allowance("pings", burst=2, per_second=1000, now=0.0)
    allowance.take(1000.0)
    allowance.take(1000.0)
    with pytest.raises(ConnectionFault):
        allowance.take(1000.0)
