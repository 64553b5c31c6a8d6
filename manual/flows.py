"""Pictures of flows, drawn from text: boxes in the order of their lines, row by row, with arrows between them.

The text is `docs/pictures/flows.txt`: a line `# name: title` starts a flow, every other line is `box | what it does`. The pictures
are kept beside it, so that they are seen where the pages are read; a test draws them again and compares. Colours follow the
reader's light or dark setting.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from manual.commands import ROOT

PICTURES: Final = ROOT / "docs/pictures"
TEXT: Final = PICTURES / "flows.txt"
_ACROSS: Final = 3
_WIDTH, _HEIGHT, _GAP, _MARGIN, _HEAD = 250, 64, 46, 12, 34
_STYLE: Final = (
    "text{font:14px system-ui,sans-serif;fill:#1b1b1f}.what{font-size:11.5px;fill:#55575e}.title{font-weight:600}"
    "rect{fill:#f5f6fa;stroke:#c4c6cf}path{fill:none;stroke:#0b57d0;stroke-width:2}#tip path{fill:#0b57d0;stroke:none}"
    "@media(prefers-color-scheme:dark){text{fill:#e4e2e6}.what{fill:#b4b6be}rect{fill:#1d1f24;stroke:#44474f}"
    "path{stroke:#a8c7fa}#tip path{fill:#a8c7fa}}"
)
_TIP: Final = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
    '<path d="M0 0L8 4L0 8z"/></marker></defs>'
)


@dataclass(frozen=True, kw_only=True)
class Flow:
    """Boxes in order."""

    name: str
    title: str
    boxes: tuple[tuple[str, str], ...]
    """Name, and what it does."""

    @property
    def path(self) -> Path:
        """Where its picture is kept."""
        return PICTURES / f"flow-{self.name}.svg"

    def to_svg(self) -> str:
        """Return the picture; its description says the same in words."""
        rows = -(-len(self.boxes) // _ACROSS)
        width = _ACROSS * _WIDTH + (_ACROSS - 1) * _GAP + 2 * _MARGIN
        height = _HEAD + rows * _HEIGHT + (rows - 1) * _GAP + 2 * _MARGIN
        words = "; then ".join(f"{name} ({what})" for name, what in self.boxes)
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img" aria-labelledby="t d">',
            f'<title id="t">{escape(self.title)}</title><desc id="d">{escape(words)}</desc><style>{_STYLE}</style>',
            _TIP,
            f'<text class="title" x="{_MARGIN}" y="{_MARGIN + 14}">{escape(self.title)}</text>',
            *(line for number in range(len(self.boxes)) for line in self._box(number)),
            "</svg>",
        ]
        return "\n".join(parts) + "\n"

    def _box(self, number: int) -> Iterator[str]:
        name, what = self.boxes[number]
        x, y = _place(number)
        yield f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="6"/>'
        yield f'<text x="{x + 12}" y="{y + 27}">{escape(name)}</text>'
        yield f'<text class="what" x="{x + 12}" y="{y + 47}">{escape(what)}</text>'
        if number + 1 < len(self.boxes):
            yield f'<path d="{_arrow(number)}" marker-end="url(#tip)"/>'


def read_flows() -> list[Flow]:
    """Read every flow of the text."""
    flows = []
    for section in TEXT.read_text(encoding="utf-8").split("# ")[1:]:
        head, *lines = section.strip().splitlines()
        name, _, title = head.partition(": ")
        boxes = tuple(
            (box.strip(), what.strip()) for box, _, what in (line.partition("|") for line in lines if line)
        )
        flows.append(Flow(name=name, title=title, boxes=boxes))
    return flows


def draw_flows() -> None:
    """Draw every flow anew."""
    for flow in read_flows():
        flow.path.write_text(flow.to_svg(), encoding="utf-8")


def _place(number: int) -> tuple[int, int]:
    """Rows run to and fro, so that every arrow is short."""
    row, column = divmod(number, _ACROSS)
    if row % 2:
        column = _ACROSS - 1 - column
    return _MARGIN + column * (_WIDTH + _GAP), _HEAD + _MARGIN + row * (_HEIGHT + _GAP)


def _arrow(number: int) -> str:
    (x, y), (next_x, next_y) = _place(number), _place(number + 1)
    if y != next_y:
        return f"M{x + _WIDTH // 2} {y + _HEIGHT}V{next_y - 4}"
    if next_x > x:
        return f"M{x + _WIDTH} {y + _HEIGHT // 2}H{next_x - 4}"
    return f"M{x} {y + _HEIGHT // 2}H{next_x + _WIDTH + 4}"


if __name__ == "__main__":
    draw_flows()
