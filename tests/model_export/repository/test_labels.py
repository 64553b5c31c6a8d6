"""Labels as a document: what may be written in it, and that no damage passes."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_export.errors import DigestMismatchError, RepositoryError
from model_export.repository.labels import Labels

LABELS = Labels(pointers={"stable": 7, "canary": 9}, removed=frozenset({3, 4}))


def test_labels_come_back_as_they_were_written() -> None:
    assert Labels.decode(LABELS.encode(), where="x") == LABELS


@given(place=st.integers(0, len(LABELS.encode()) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_is_noticed_or_changes_nothing(place: int, bit: int) -> None:
    text = bytearray(LABELS.encode())
    text[place] ^= 1 << bit
    with contextlib.suppress(DigestMismatchError):
        assert Labels.decode(bytes(text), where="x") == LABELS  # a blank became another blank


@pytest.mark.parametrize("text", [b"", b"null", b"[]", b"{}", b"\xff", b"[" * 100_000], ids=range(6))
def test_what_are_no_labels_is_refused_in_words(text: bytes) -> None:
    with pytest.raises(DigestMismatchError, match="expected the labels as they were written"):
        Labels.decode(text, where="x")


def test_a_version_on_its_way_out_takes_no_label() -> None:
    with pytest.raises(RepositoryError, match=r"a published version \(7, 9\), received 4"):
        LABELS.moved({"old": 4}, {4, 7, 9}, where="x")


@pytest.mark.parametrize("label", ["a", "a-b", "stable", "v2", "a" * 63])
def test_a_dns_label_is_a_label(label: str) -> None:
    assert Labels().moved({label: 1}, {1}, where="x").pointers == {label: 1}


@pytest.mark.parametrize("label", ["", "A", "2", "-a", "a-", "a_b", "a.b", "a" * 64, "latest", "ä", "a\n"])
def test_anything_else_is_not(label: str) -> None:
    with pytest.raises(RepositoryError, match="expected a label of lower-case letters"):
        Labels().moved({label: 1}, {1}, where="x")


def test_removing_a_label_that_is_not_there_is_no_error() -> None:
    assert Labels().moved({"stable": None}, set(), where="x").pointers == {}
