import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from serving.tallies import RequestTally, Spread

LABELS = ("mnist", "predict", "rest")


def page(tally: RequestTally | Spread) -> list[str]:
    registry = CollectorRegistry()
    registry.register(tally)
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


@pytest.mark.parametrize(
    ("seconds", "buckets"), [(0.05, "1 1 1"), (0.1, "1 1 1"), (0.11, "0 1 1"), (2, "0 0 1")]
)
def test_a_request_is_in_every_bucket_from_its_seconds_on(seconds: float, buckets: str) -> None:
    tally = RequestTally((0.1, 1.0))
    tally.count(LABELS, "200", seconds)
    lines = [line for line in page(tally) if "bucket" in line]
    assert " ".join(f"{float(line.split()[-1]):g}" for line in lines) == buckets


def test_requests_are_counted_by_status_and_summed() -> None:
    tally = RequestTally((1.0,))
    for code, seconds in (("200", 0.25), ("200", 0.5), ("400", 0.25)):
        tally.count(LABELS, code, seconds)
    lines = page(tally)
    labels = 'method="predict",model="mnist",transport="rest"'
    assert f'tfsp_requests_total{{code="200",{labels}}} 2.0' in lines
    assert f'tfsp_requests_total{{code="400",{labels}}} 1.0' in lines
    assert f"tfsp_request_seconds_sum{{{labels}}} 1.0" in lines
    assert f"tfsp_request_seconds_count{{{labels}}} 3.0" in lines


def test_a_number_is_spread_over_buckets_as_prometheus_itself_does_it() -> None:
    spread = Spread("rows", "Rows.", (1, 2))
    registry = CollectorRegistry()
    reference = Histogram("rows", "Rows.", ("model",), buckets=(1, 2), registry=registry)
    for model, value in (("a", 1), ("a", 2), ("b", 2.5), ("a", 0)):
        spread.add(model, value)
        reference.labels(model).observe(value)
    lines = [line for line in generate_latest(registry).decode().splitlines() if line[0] != "#"]
    assert page(spread) == [line for line in lines if "_created" not in line]
