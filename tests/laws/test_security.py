"""What SECURITY.md, docs/failures.md and docs/trust.md promise is shown by tests that exist, and the repository has what a stranger looks for."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FAILURES = (ROOT / "docs/failures.md").read_text()
TRUST = (ROOT / "docs/trust.md").read_text()
PROMISES = sorted(
    set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "SECURITY.md").read_text() + FAILURES + TRUST))
)


def test_every_row_of_the_threat_model_names_a_test() -> None:
    rows = re.findall(r"^\|(?! it could| from |--)(.*)\|$", (ROOT / "SECURITY.md").read_text(), re.MULTILINE)
    assert len(rows) > 25
    assert [row for row in rows if "::test_" not in row and not set(row) <= set("-|")] == []


@pytest.mark.parametrize(("file", "test"), PROMISES, ids=[test for _, test in PROMISES])
def test_every_test_that_is_named_exists(file: str, test: str) -> None:
    assert f"def {test}(" in (ROOT / file).read_text()


def test_every_failure_of_the_list_has_a_row_with_a_test_or_the_reason_why_none() -> None:
    rows = re.findall(r"^\| (F\d+(?:, F\d+)*) \|.*\| ([^|]+) \|$", FAILURES, re.MULTILINE)
    listed = [int(number) for names, _ in rows for number in re.findall(r"F(\d+)", names)]
    assert sorted(listed) == list(range(1, 44))
    assert [names for names, shown in rows if "::test_" not in shown and not shown.startswith("none")] == []


@pytest.mark.parametrize(
    "tampered",
    ["a weight byte", "the manifest", "the model's signature", "the image", "the image's signature"],
)
def test_whatever_can_be_tampered_with_has_a_row_with_the_test_that_refuses_it(tampered: str) -> None:
    rows = re.findall(r"^\| ([^|:]+)[^|]*\|[^|]+\|[^|]+\| `(tests/[^`]+)` \|$", TRUST, re.MULTILINE)
    assert tampered in [what.strip() for what, _ in rows]


@pytest.mark.parametrize("name", ["LICENSE", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md", "README.md"])
def test_a_stranger_finds_what_every_project_has(name: str) -> None:
    assert (ROOT / name).stat().st_size > 500 or name == "CHANGELOG.md"
