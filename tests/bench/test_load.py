"""Reading what the load generators print."""

import pytest

from bench.errors import LoadFailed
from bench.load import Tally, parse_h2load, parse_wrk, request_count

H2LOAD = """\
starting benchmark...
finished in 1.50s, 26666.67 req/s, 1.58MB/s
requests: 40000 total, 40000 started, 40000 done, 40000 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 40000 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 6.29MB (6600000) total, 1.83MB (1920000) headers (space savings 31.43%), 3.43MB ({data}) data
"""
ANSWER_BYTES = 85


def test_wrk_counts_answers_without_the_refused() -> None:
    line = '{"answers":1000,"refused":30,"lost":2,"seconds":3.1,"p50_ms":1.25,"p99_ms":9.5}'
    assert parse_wrk(f"Running 3s test\nRESULT {line}\n") == Tally(
        good=970, bad=32, seconds=3.1, p50_ms=1.25, p99_ms=9.5
    )


@pytest.mark.parametrize(
    ("data", "good"),
    [
        pytest.param(40_000 * (5 + ANSWER_BYTES), 40_000, id="all good"),
        pytest.param(39_000 * (5 + ANSWER_BYTES), 39_000, id="a failed call has status 200 and no data"),
        pytest.param(0, 0, id="all failed"),
    ],
)
def test_h2load_is_believed_by_the_bytes_it_received(data: int, good: int) -> None:
    tally = parse_h2load(H2LOAD.format(data=data), ANSWER_BYTES)
    assert tally == Tally(good=good, bad=40_000 - good, seconds=1.5)


def test_h2load_may_finish_within_milliseconds() -> None:
    output = H2LOAD.replace("1.50s", "250.00ms").format(data=40_000 * (5 + ANSWER_BYTES))
    assert parse_h2load(output, ANSWER_BYTES).seconds == 0.25


@pytest.mark.parametrize(
    "parse", [parse_wrk, lambda text: parse_h2load(text, ANSWER_BYTES)], ids=["wrk", "h2load"]
)
def test_other_output_is_an_error_that_quotes_it(parse) -> None:
    with pytest.raises(LoadFailed, match="unable to connect"):
        parse("unable to connect")


@pytest.mark.parametrize(("good", "bad"), [(0, 0), (0, 1), (99, 1), (10_000, 101)])
def test_shedding_does_not_pass_for_speed(good: int, bad: int) -> None:
    with pytest.raises(LoadFailed, match="at most 1 %"):
        Tally(good=good, bad=bad, seconds=1).check()


@pytest.mark.parametrize(("good", "bad"), [(1, 0), (100, 1), (10_000, 100)])
def test_one_failure_in_a_hundred_is_forgiven(good: int, bad: int) -> None:
    Tally(good=good, bad=bad, seconds=1).check()


@pytest.mark.parametrize(
    ("pace", "count"),
    [
        pytest.param(0, 200, id="never fewer than the least"),
        pytest.param(1_000, 3_000, id="by the pace"),
        pytest.param(1_000_000, 500_000, id="never more than the limit"),
    ],
)
def test_a_load_is_bounded_in_count(pace: int, count: int) -> None:
    first = Tally(good=pace, bad=0, seconds=1)
    assert request_count(first, seconds=3, max_requests=500_000) == count
