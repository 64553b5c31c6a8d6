"""The Python on the pages that show no stack: every block runs. Those that declare something run in tests/components."""

from typing import Any

import pytest

from serving.http2 import StatusCode, StatusError
from tests.docs.pages import ROOT, blocks_of
from tests.docs.test_blocks import BLOCKS

RUN_HERE = {"docs/contract.md", "docs/http2.md"}
RUN_ELSEWHERE = {
    "docs/components.md": "tests/docs/test_project_of_your_own.py",
    "docs/docker.md": "tests/components/test_training_and_docker_documentation.py",
    "docs/training.md": "tests/components/test_training_and_docker_documentation.py",
}


def run(page: str, **replaced: str) -> dict[str, Any]:
    """Run the blocks of a page one after the other; return the names that they leave."""
    names: dict[str, Any] = {}
    for block in blocks_of(page):
        if block.language == "python":
            text = block.text
            for old, new in replaced.items():
                text = text.replace(f"models/mnist/{old.removeprefix('version_')}", new)
            exec(compile(text, page, "exec"), names)
    return names


def test_the_contract_of_a_version_is_read_judged_and_compared(capsys: pytest.CaptureFixture[str]) -> None:
    ours = str(ROOT / "examples/mnist/published/1000")
    names = run("docs/contract.md", version_7=ours, version_8=ours)
    assert names["contract"].signature("serving_default") is not None
    assert capsys.readouterr().out.strip()


def test_the_handler_of_the_http2_page_answers_and_refuses() -> None:
    ask = run("docs/http2.md")["ask"]
    assert ask(b"question", None) == b"question"
    with pytest.raises(StatusError) as refused:
        ask(b"", None)
    assert refused.value.status is StatusCode.INVALID_ARGUMENT


def test_no_page_has_python_that_nothing_runs() -> None:
    pages = {block.page for block in BLOCKS if block.language == "python"}
    left = {page for page in pages if not page.startswith(("docs/tutorials/", "docs/components/"))}
    assert left == RUN_HERE | set(RUN_ELSEWHERE)
    assert all((ROOT / test).is_file() for test in RUN_ELSEWHERE.values())
