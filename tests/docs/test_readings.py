"""Who runs the commands of the pages: a test reads each of them, or the page says why none does."""

import ast
from dataclasses import dataclass

import pytest

from tests.docs.pages import CLUSTER, NOTHING, ROOT, Block
from tests.docs.test_blocks import SHELL, named


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A call of `reading` in a test."""

    page: str
    heading: str
    needs: frozenset[str]

    def covers(self, block: Block) -> bool:
        return block.page == self.page and self.heading in {"", block.heading} and block.mark in self.needs


def readings() -> list[Reading]:
    """Every call of `reading` in the tests, by its words: a page, perhaps with a heading, and what its commands may need."""
    calls = [
        node
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "reading"
    ]
    return [_reading(call) for call in calls]


def _reading(call: ast.Call) -> Reading:
    page, _, heading = ast.literal_eval(call.args[0]).partition("#")
    named = [keyword.value for keyword in call.keywords if keyword.arg == "needs"]
    names = {node.id for value in named for node in ast.walk(value) if isinstance(node, ast.Name)}
    needs = {MARKS[name] for name in names} if named else {NOTHING}
    return Reading(page=page, heading=heading, needs=frozenset(needs))


MARKS = {"NOTHING": NOTHING, "CLUSTER": CLUSTER}
READINGS = readings()


@pytest.mark.parametrize("block", SHELL, ids=named(SHELL))
def test_every_command_is_run_by_a_test_or_says_why_not(block: Block) -> None:
    if block.mark.startswith("by hand: "):
        assert len(block.mark.split()) > 5
    else:
        assert block.mark in MARKS.values()
        assert any(reading.covers(block) for reading in READINGS), (
            f"no test reads {block.page}#{block.heading}"
        )


def test_every_reading_is_of_a_page_that_has_such_commands() -> None:
    idle = [reading for reading in READINGS if not any(reading.covers(block) for block in SHELL)]
    assert idle == []
