"""The forms for everything that is no picture, with right and with wrong entries; and the colours of the page."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.serving.console.visits import Visit, console, flags_for, visit

STYLE = Path(__file__).parents[3] / "serving/console/page/style.css"


@pytest.fixture(scope="module")
def origin(models: Path) -> Iterator[str]:
    with console(*flags_for(models / "half_plus_two", "half_plus_two")) as (_process, address):
        yield address


@pytest.fixture
def opened(browser: Browser, origin: str) -> Iterator[Visit]:
    yield from visit(browser, origin)


@pytest.mark.browser
@pytest.mark.tensorflow
def test_a_number_goes_into_a_field_and_comes_back_as_an_answer(opened: Visit) -> None:
    opened.page.get_by_label("x", exact=True).fill("3")
    assert opened.ask() == "4.5"


@pytest.mark.browser
@pytest.mark.tensorflow
@pytest.mark.parametrize("entry", ["", "abc", "1,5", "0x10", "1e999x"])
def test_what_is_no_number_is_refused_before_it_is_asked(opened: Visit, entry: str) -> None:
    opened.page.get_by_label("x", exact=True).fill(entry)
    opened.page.get_by_role("button", name="Ask the model").click()
    expect(opened.page.get_by_role("alert")).to_have_text(f'x must be a number, got "{entry}".')


@pytest.mark.browser
@pytest.mark.tensorflow
def test_a_classification_takes_features_as_json(opened: Visit) -> None:
    opened.page.get_by_label("Signature").select_option("classify_x_to_y")
    opened.page.get_by_label("example", exact=True).fill('{"x": [5.0]}')
    opened.ask()
    expect(opened.page.locator("#answer td.number").first).to_have_text("5.500")


@pytest.mark.browser
@pytest.mark.tensorflow
def test_what_is_no_json_is_refused_before_it_is_asked(opened: Visit) -> None:
    opened.page.get_by_label("Signature").select_option("classify_x_to_y")
    opened.page.get_by_label("example", exact=True).fill("{x: 5}")
    opened.page.get_by_role("button", name="Ask the model").click()
    expect(opened.page.get_by_role("alert")).to_contain_text("example is no JSON")


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "paper"),
    [(ink, paper) for ink in ("ink", "soft", "accent", "bad", "good") for paper in ("paper", "card")]
    + [("on-accent", "accent")],
)
def test_every_pair_of_colours_can_be_read(scheme: int, ink: str, paper: str) -> None:
    """A contrast of at least 4.5 to 1: WCAG 2.2, success criterion 1.4.3."""
    colours = dict(re.findall(r"--([\w-]+): (#\w+);", STYLE.read_text().split("@media")[scheme]))
    darker, lighter = sorted(_luminance(colours[name]) for name in (ink, paper))
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
