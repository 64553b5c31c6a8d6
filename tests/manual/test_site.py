"""The site is built strictly, loads nothing from elsewhere, and has a page for everything."""

import re
from pathlib import Path

import pytest

from manual.__main__ import main
from manual.commands import all_commands
from manual.reference import all_components

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("manual") / "site"
    assert main(["--output", str(folder)]) == 0
    return folder


def test_no_page_loads_anything_from_another_address(site: Path) -> None:
    loads = re.compile(r'<(?:script|img|link|iframe)\b[^>]*\b(?:src|href)="((?:https?:)?//[^"]*)"')
    found = {address for page in site.rglob("*.html") for address in loads.findall(page.read_text())}
    assert found == set()


def test_every_page_of_the_docs_is_on_the_site(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    assert [str(page) for page in sorted(pages) if not (site / page).exists()] == []


def test_every_command_has_a_page_with_its_own_help(site: Path) -> None:
    for command in all_commands():
        page = (site / "commands" / f"{command.page}.html").read_text()
        assert all(flag in page for flag in re.findall(r"--[a-z][a-z-]+", command.help)), command.words


def test_every_component_has_a_page_with_every_field(site: Path) -> None:
    components = list(all_components())
    assert len(components) > 8
    for component in components:
        page = (site / "reference" / f"{component.module}-{component.name.lower()}.html").read_text()
        assert all(f">{name}<" in page for name, *_ in component.args), component.name


def test_every_field_of_a_component_says_what_it_means() -> None:
    silent = [
        f"{each.name}.{name}" for each in all_components() for name, _, _, meaning in each.args if not meaning
    ]
    assert silent == []
