"""The chart is text that a diff can read."""

from xml.etree import ElementTree

import pytest

from bench.chart import Bar, draw

BARS = [Bar(label="ours <fast>", value=20, is_ours=True), Bar(label="peer", value=2000)]
SVG = "{http://www.w3.org/2000/svg}"


def test_the_same_numbers_give_the_same_chart() -> None:
    assert draw("CPU", "µs", BARS) == draw("CPU", "µs", BARS)


def test_a_hundred_times_the_cost_is_two_decades_of_the_axis() -> None:
    root = ElementTree.fromstring(draw("CPU", "µs", BARS))
    widths = [float(bar.attrib["width"]) for bar in root.iter(f"{SVG}rect")][1:]
    lines = [float(line.attrib["x1"]) for line in root.iter(f"{SVG}line")]
    decade = lines[1] - lines[0]
    # Coordinates are written with one decimal.
    assert widths[1] - widths[0] == pytest.approx(2 * decade, abs=0.2)


def test_labels_are_escaped() -> None:
    texts = [text.text for text in ElementTree.fromstring(draw("a & b", "µs", BARS)).iter(f"{SVG}text")]
    assert {"a & b", "ours <fast>"} <= set(texts)


def test_a_chart_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="got none"):
        draw("CPU", "µs", [])
