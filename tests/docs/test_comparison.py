"""The comparison claims nothing without a source: a test for what is here, an address for what is said of others."""

import re

import pytest

from tests.docs.pages import ROOT

TEXT = (ROOT / "docs/comparison.md").read_text()
ROWS = [
    [cell.strip() for cell in row.strip("|").split(" | ")]
    for row in TEXT.splitlines()
    if row.startswith("| ") and not row.startswith("| |")
]
COMPARED = [row for row in ROWS if len(row) == 4]
LEFT_TO_OTHERS = [row for row in ROWS if len(row) == 2]


def test_every_row_is_of_one_of_the_two_tables() -> None:
    assert len(COMPARED) + len(LEFT_TO_OTHERS) == len(ROWS)
    assert len(COMPARED) >= 25
    assert LEFT_TO_OTHERS


@pytest.mark.parametrize("row", COMPARED, ids=[row[0] for row in COMPARED])
def test_what_is_here_is_shown_by_a_test(row: list[str]) -> None:
    ((file, test),) = re.findall(r"^`(tests/[\w/]+\.py)::(\w+)`$", row[2])
    assert f"def {test}(" in (ROOT / file).read_text()


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_what_is_said_of_others_has_a_source_for_each_of_them(row: list[str]) -> None:
    for claim in row[-1].split(";"):
        assert claim.strip() == "not looked at" or "](https://" in claim, claim
