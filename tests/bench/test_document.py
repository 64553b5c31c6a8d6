"""Numbers replace numbers; the words around them stay."""

import pytest

from bench.document import BEGIN, END, PAGE, replace_between
from bench.machine import pinned


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert replace_between(page, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"


@pytest.mark.parametrize("page", ["", BEGIN, END], ids=["none", "no end", "no begin"])
def test_a_page_without_marks_is_left_alone(page: str) -> None:
    with pytest.raises(ValueError, match="expected the marks"):
        replace_between(page, "new")


def test_versions_are_read_from_a_lock() -> None:
    lock = "fastapi==0.165.0 \\\n    --hash=sha256:00\nidna==3.1 \\\nuvicorn[standard]==0.54.0 \\\n"
    assert pinned(lock) == {"fastapi": "0.165.0", "uvicorn": "0.54.0"}


def test_the_page_of_the_documentation_has_the_marks() -> None:
    assert "bin/bench serving" in replace_between(PAGE.read_text(), "")
