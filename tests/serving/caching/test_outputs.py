import pytest

from serving.caching import OutputCache

ENTRY = 300  # what an entry costs beside its question and its answer


def key(question: bytes, serial: int = 1) -> tuple[int, str, bytes]:
    return serial, "rest predict", question


def filled(budget: int, *questions: bytes) -> OutputCache:
    cache = OutputCache(budget)
    for question in questions:
        cache.put(key(question), b"answer to " + question)
    return cache


def test_an_answer_is_found_by_exactly_its_question() -> None:
    cache = filled(100_000, b"q")
    assert cache.get(key(b"q")) == b"answer to q"
    assert cache.get(key(b"q ")) is None
    assert cache.get((1, "grpc predict", b"q")) is None


def test_another_load_never_sees_the_answer() -> None:
    assert filled(100_000, b"q").get(key(b"q", serial=2)) is None


def test_the_least_recently_used_goes_first() -> None:
    cache = filled(10 * (ENTRY + 12), *[bytes([number]) for number in range(10)])
    cache.get(key(b"\0"))
    for _ in range(2):
        cache.put(key(b"new"), b"")
    assert cache.get(key(b"\0")) is not None
    assert cache.get(key(b"\1")) is None


@pytest.mark.parametrize(("spare", "kept"), [(-1, False), (0, True), (1, True)])
def test_the_budget_is_exact(spare: int, kept: bool) -> None:
    cache = filled(8 * (ENTRY + 12) + spare, b"q")  # an entry may take an eighth
    assert (cache.get(key(b"q")) is not None) is kept
    assert cache.size_bytes == kept * (ENTRY + 1 + len(b"answer to q"))


def test_memory_stays_within_the_budget() -> None:
    cache = OutputCache(20_000)
    for number in range(1000):
        for _ in range(2):
            cache.put(key(b"%d" % number), b"x" * (number % 100))
        assert cache.size_bytes <= 20_000
    assert cache.evictions > 900


def test_questions_that_never_repeat_do_not_throw_out_those_that_do() -> None:
    cache = filled(10 * (ENTRY + 100), b"often")
    for number in range(1000):
        cache.put(key(b"once %d" % number), b"x" * 50)
    assert cache.get(key(b"often")) is not None


def test_a_question_that_repeats_is_let_in() -> None:
    cache = filled(10 * (ENTRY + 100), *[b"old %d" % number for number in range(20)])
    cache.put(key(b"new"), b"x")
    assert cache.get(key(b"new")) is None
    cache.put(key(b"new"), b"x")
    assert cache.get(key(b"new")) == b"x"


def test_a_load_that_ended_is_forgotten() -> None:
    cache = filled(100_000, b"q", b"r")
    cache.put(key(b"q", serial=2), b"kept")
    cache.forget(1)
    assert (len(cache), cache.get(key(b"q", serial=2))) == (1, b"kept")
    assert cache.size_bytes == ENTRY + 1 + len(b"kept")


def test_an_empty_answer_is_an_answer() -> None:
    cache = OutputCache(100_000)
    cache.put(key(b"q"), b"")
    assert cache.get(key(b"q")) == b""
