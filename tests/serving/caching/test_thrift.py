from serving.caching import Thrift


def watch(thrift: Thrift, questions: int, *, saved: float | None, size: int = 5000) -> int:
    """Ask so many questions; how many were looked up."""
    lookups = 0
    for _ in range(questions):
        if thrift.wants_lookup():
            lookups += 1
            thrift.note(size, saved)
    return lookups


def test_lookups_that_pay_go_on() -> None:
    assert watch(Thrift(), 10_000, saved=0.001) == 10_000


def test_lookups_that_never_hit_are_given_up() -> None:
    thrift = Thrift()
    assert watch(thrift, 10_000, saved=None) < 1200
    assert thrift.is_bypassing


def test_lookups_come_back_when_the_samples_pay() -> None:
    thrift = Thrift()
    watch(thrift, 10_000, saved=None)
    watch(thrift, 64 * 64, saved=0.001)
    assert not thrift.is_bypassing


def test_hits_that_save_less_than_the_hashing_do_not_pay() -> None:
    thrift = Thrift()
    watch(thrift, 2000, saved=0.001, size=10_000_000)
    assert thrift.is_bypassing
