"""Laws about the tree itself, so that the house stays as `docs/architecture.md` draws it."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def test_no_python_file_is_longer_than_three_hundred_lines() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in tracked("*.py")}
    assert {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n > 300} == {}


def test_the_program_stays_under_forty_lines() -> None:
    assert len((ROOT / "__main__.py").read_text().splitlines()) < 40


@pytest.mark.parametrize("script", tracked("bin/*"), ids=lambda path: path.name)
def test_every_script_opens_with_one_comment_saying_its_job(script: Path) -> None:
    shebang, comment, *_ = script.read_text().splitlines()
    assert shebang.startswith("#!/usr/bin/env ")
    assert re.fullmatch(r"# [A-Z].{20,}\.", comment), f"{script.name}: {comment!r}"


@pytest.mark.parametrize("lock", tracked("requirements/*.txt"), ids=lambda path: path.name)
def test_every_locked_requirement_has_a_version_a_hash_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert "://" not in text
    assert all(
        re.match(r"[A-Za-z0-9._-]+(\[[\w,-]+\])?==\S+ ", entry) and "--hash=sha256:" in entry
        for entry in entries
    )


def test_ci_runs_the_test_command_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "bin/test" in readme
    assert "bin/test" in (ROOT / ".ci/run").read_text()


def test_every_package_opens_with_a_charter() -> None:
    packages = [path for path in tracked("*/__init__.py") if not path.is_relative_to(ROOT / "tests")]
    silent = [str(path.relative_to(ROOT)) for path in packages if not path.read_text().startswith('"""')]
    assert silent == []


def test_every_test_folder_is_a_package() -> None:
    folders = {path.parent for path in tracked("tests/*.py", "tests/**/*.py")}
    assert [
        str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").exists()
    ] == []


def test_every_changelog_fragment_is_one_sentence_of_a_known_kind() -> None:
    for fragment in tracked("changelog.d/*.md"):
        assert re.fullmatch(r"[a-z0-9-]+\.(added|changed|fixed)\.md", fragment.name), fragment.name
        assert fragment.read_text().strip().endswith((".", ".)")), fragment.name


def test_every_decision_record_has_a_number_of_its_own() -> None:
    numbers = [record.name.partition("-")[0] for record in tracked("docs/adr/0*.md")]
    assert len(set(numbers)) == len(numbers)
    for record in tracked("docs/adr/0*.md"):
        assert record.read_text().startswith(f"# {record.name.partition('-')[0]}: "), record.name


def test_every_decision_record_states_context_options_decision_and_price() -> None:
    for record in tracked("docs/adr/0*.md"):
        headings = set(re.findall(r"^## (\w+)", record.read_text(), flags=re.MULTILINE))
        assert {"Context", "Options", "Decision", "Price"} <= headings, record.name
