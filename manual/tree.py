"""The pages in the places where the site has them: `docs/` as it is, the notes of the root, and what is generated."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from manual import release_notes
from manual.commands import ROOT, all_commands
from manual.links import moved
from manual.reference import all_components

_NOTES: Final = {"SECURITY.md": "security.md", "CONTRIBUTING.md": "contributing.md"}
_DOCS: Final = PurePosixPath("docs")


def grow(target: Path) -> None:
    """Write every page of the site into an empty folder."""
    shutil.rmtree(target, ignore_errors=True)
    places = _places()
    for source, place in places.items():
        destination = target / place
        destination.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".md":
            text = (ROOT / source).read_text(encoding="utf-8")
            destination.write_text(moved(text, page=source, places=places), encoding="utf-8")
        else:
            shutil.copyfile(ROOT / source, destination)
    _write_commands(target / "commands")
    _write_components(target / "reference")
    _write_decisions(target / "adr")
    (target / "release-notes.md").write_text(release_notes.to_markdown(), encoding="utf-8")
    _write_more(target)


def _places() -> dict[PurePosixPath, PurePosixPath]:
    """Where each file of the site is, by its path in the checkout."""
    files = [path.relative_to(ROOT) for path in sorted((ROOT / "docs").rglob("*")) if path.is_file()]
    places = {PurePosixPath(path): PurePosixPath(path).relative_to(_DOCS) for path in files}
    return places | {PurePosixPath(note): PurePosixPath(place) for note, place in _NOTES.items()}


def _write_commands(folder: Path) -> None:
    commands = list(all_commands())
    pages = {each.page: each.to_markdown() for each in commands}
    rows = [f"| [`{each.words}`]({each.page}.md) | {each.job} |" for each in commands]
    table = "\n".join(["| command | job |", "|---|---|", *rows])
    _write(folder, "Commands", table, pages)


def _write_components(folder: Path) -> None:
    components = list(all_components())
    pages = {each.module + "-" + each.name.lower(): each.to_markdown() for each in components}
    table = "Every component with all that it takes and gives, from the source; [the tour](../components.md) says how they fit together."
    _write(folder, "Components, field by field", table, pages)


def _write_decisions(folder: Path) -> None:
    """The list of decisions, whose pages are there already."""
    listed = "\n".join(path.stem for path in sorted(folder.glob("0*.md")))
    index = folder / "README.md"
    text = index.read_text(encoding="utf-8")
    index.write_text(f"{text}\n```{{toctree}}\n:maxdepth: 1\n\n{listed}\n```\n", encoding="utf-8")


def _write_more(target: Path) -> None:
    """Name the pages that no list names yet at the end of the first page, so that a new page is found without anybody's doing."""
    pages = {path.relative_to(target).with_suffix("").as_posix() for path in target.rglob("*.md")}
    named = {name for path in target.rglob("*.md") for name in _named(path, target)}
    left = "\n".join(sorted(pages - named - {"index"}))
    if left:
        with (target / "index.md").open("a", encoding="utf-8") as index:
            index.write(f"\n```{{toctree}}\n:hidden:\n:caption: More\n\n{left}\n```\n")


def _named(path: Path, target: Path) -> Iterator[str]:
    for listed in re.findall(
        r"^```\{toctree\}\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    ):
        for line in listed.splitlines():
            if line and not line.startswith(":"):
                yield (path.parent / line).relative_to(target).as_posix()


def _write(folder: Path, title: str, introduction: str, pages: dict[str, str]) -> None:
    folder.mkdir()
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    listed = "\n".join(pages)
    index = f"# {title}\n\n{introduction}\n\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n"
    (folder / "index.md").write_text(index, encoding="utf-8")
