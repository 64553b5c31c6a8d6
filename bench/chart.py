"""A bar chart as SVG text: CPU time of one request on a logarithmic axis, ours in colour, no library needed.

The text is a function of the numbers alone, so that a chart under version control changes only when a number does.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from bench.figures import readable

WIDTH, LABELS, VALUES, ROW, HEAD, FOOT = 760, 250, 90, 26, 44, 26
OURS, PEER, INK, GRID = "#0b7a75", "#9aa5b1", "#1f2933", "#d9dfe5"
FONT = "font-family='system-ui, sans-serif'"


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One line of the chart."""

    label: str
    value: float
    """Above 0."""
    is_ours: bool = False


def draw(title: str, unit: str, bars: Sequence[Bar]) -> str:
    """An SVG document; the axis runs over whole powers of ten. Raises ValueError without bars."""
    if not bars:
        raise ValueError("expected bars to draw, got none")
    first = math.floor(math.log10(min(bar.value for bar in bars)))
    last = max(first + 1, math.ceil(math.log10(max(bar.value for bar in bars))))
    height = HEAD + ROW * len(bars) + FOOT

    def across(value: float) -> float:
        return LABELS + (WIDTH - LABELS - VALUES) * (math.log10(value) - first) / (last - first)

    lines = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height}' viewBox='0 0 {WIDTH} {height}' role='img'>",
        f"<title>{escape(title)}</title>",
        f"<rect width='{WIDTH}' height='{height}' fill='white'/>",
        _text(12, 26, title, size=15, weight=600),
        _text(WIDTH - 12, 26, unit, size=11, anchor="end"),
        *(_grid(across(10**power), height, 10**power) for power in range(first, last + 1)),
        *(
            _bar(bar, HEAD + ROW * index, across(10**first), across(bar.value))
            for index, bar in enumerate(bars)
        ),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _grid(x: float, height: int, value: float) -> str:
    line = f"<line x1='{x:.1f}' y1='{HEAD - 6}' x2='{x:.1f}' y2='{height - FOOT}' stroke='{GRID}'/>"
    return line + _text(x, height - FOOT + 16, f"{value:g}", size=11, anchor="middle")


def _bar(bar: Bar, top: float, left: float, right: float) -> str:
    colour = OURS if bar.is_ours else PEER
    shape = f"<rect x='{left:.1f}' y='{top + 4:.1f}' width='{max(1.0, right - left):.1f}' height='{ROW - 8}' rx='2' fill='{colour}'/>"
    label = _text(LABELS - 10, top + 18, bar.label, size=12, anchor="end", weight=600 if bar.is_ours else 400)
    return label + shape + _text(right + 6, top + 18, readable(bar.value), size=12)


def _text(x: float, y: float, text: str, *, size: int, anchor: str = "start", weight: int = 400) -> str:
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' {FONT} font-size='{size}' font-weight='{weight}' fill='{INK}' "
        f"text-anchor='{anchor}'>{escape(text)}</text>"
    )
