"""The screen says in words what the report holds, also without colours and on a narrow terminal."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from launch.status.reading import read_report
from launch.status.report import Cluster, Problem, Report
from launch.status.screen import draw
from tests.launch.status.answers import MODEL, Recorded


def drawn(world: str, *, width: int = 120) -> str:
    paper = io.StringIO()
    draw(read_report("local", None, Recorded(world)), Console(file=paper, width=width, highlight=False))
    return paper.getvalue()


def test_a_healthy_stack_fits_on_a_screen_and_says_so() -> None:
    page = drawn("healthy")
    assert "All is well." in page
    assert MODEL["image"] in page
    assert len(page.splitlines()) < 40


@pytest.mark.parametrize("width", [60, 120, 200])
def test_nothing_is_cut_off_on_a_narrow_terminal(width: int) -> None:
    page = "".join(drawn("no-gpu", width=width).split())
    assert MODEL["image"] in page
    assert "notready" in page


def test_words_in_brackets_are_not_taken_for_colours() -> None:
    paper = io.StringIO()
    words = Problem(where="pod a", what="unready: [red]", todo="wait")
    cluster = Cluster(context="c", state="running")
    draw(Report(stack="local", cluster=cluster, problems=(words,)), Console(file=paper))
    assert "unready: [red]" in paper.getvalue()


def test_the_page_in_the_docs_names_every_key_of_the_json_object() -> None:
    page = (Path(__file__).parents[3] / "docs/status.md").read_text()
    report = read_report("local", None, Recorded("no-gpu")).to_dict()
    keys = set(report) | {
        key for part in report.values() if isinstance(part, list | tuple) for each in part for key in each
    }
    assert sorted(key for key in keys | set(report["cluster"]) if f"`{key}`" not in page) == []
