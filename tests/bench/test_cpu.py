"""Whose CPU time counts as a server's."""

import pytest

from bench.cpu import Process, family, parse_stat


def process(parent: int, session: int) -> Process:
    return Process(parent=parent, session=session, ticks=1)


@pytest.mark.parametrize(
    ("table", "members"),
    [
        pytest.param({7: process(1, 7)}, {7}, id="alone"),
        pytest.param({7: process(1, 7), 8: process(7, 7), 9: process(1, 5)}, {7, 8}, id="worker in its session"),
        pytest.param({7: process(1, 7), 8: process(1, 7)}, {7, 8}, id="worker whose parent ended"),
        pytest.param({7: process(1, 7), 8: process(7, 8), 9: process(8, 9)}, {7, 8, 9}, id="grandchild in another session"),
        pytest.param({8: process(1, 8)}, set(), id="ended itself"),
    ],
)  # fmt: skip
def test_a_family_is_the_session_and_all_descendants(table: dict[int, Process], members: set[int]) -> None:
    assert family(7, table) == members


def test_a_command_name_may_hold_brackets_and_spaces() -> None:
    fields = "S 3 42 41 0 -1 4194304 100 0 0 0 150 25 900 900 20 0 1 0 12345"
    assert parse_stat(f"42 (a (b) c) {fields}") == Process(parent=3, session=41, ticks=175)
