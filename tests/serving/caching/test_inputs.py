import numpy as np
import pytest

from serving.caching.inputs import InputCache, digest

ROW = np.arange(25, dtype=np.float32)  # 100 bytes
ENTRY = 500


def test_a_row_is_found_by_preprocessing_and_digest() -> None:
    cache = InputCache(10_000)
    cache.put(("a", digest(b"picture")), ROW)
    found = cache.get(("a", digest(b"picture")))
    assert found is not None
    np.testing.assert_array_equal(found, ROW)
    assert cache.get(("b", digest(b"picture"))) is None
    assert cache.get(("a", digest(b"other"))) is None
    assert (cache.hits, cache.misses) == (1, 2)


def test_a_kept_row_is_its_own_and_cannot_be_changed() -> None:
    cache, batch = InputCache(10_000), np.zeros((2, 25), np.float32)
    cache.put(("a", b""), batch[0])
    batch[0] = 7
    found = cache.get(("a", b""))
    assert found is not None
    assert not found.any()
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 1


def test_the_least_recently_used_goes_first() -> None:
    cache = InputCache(2 * ENTRY)
    for name in (b"1", b"2"):
        cache.put(("a", name), ROW)
    cache.get(("a", b"1"))
    cache.put(("a", b"3"), ROW)
    assert [cache.get(("a", name)) is not None for name in (b"1", b"2", b"3")] == [True, False, True]
    assert cache.size_bytes == 2 * ENTRY


@pytest.mark.parametrize(("budget", "kept"), [(ENTRY - 1, False), (ENTRY, True)])
def test_the_budget_is_exact(budget: int, kept: bool) -> None:
    cache = InputCache(budget)
    cache.put(("a", b""), ROW)
    assert (cache.get(("a", b"")) is not None) is kept


def test_one_preprocessing_can_be_forgotten() -> None:
    cache = InputCache(10_000)
    cache.put(("a", b""), ROW)
    cache.put(("b", b""), ROW)
    cache.forget("a")
    assert (cache.get(("a", b"")), cache.size_bytes) == (None, ENTRY)
