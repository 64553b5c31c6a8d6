"""The console in a real browser: draw a digit, read a digit; and all that can go wrong on the way."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.serving.console.visits import SEVEN, Visit, console, flags_for, visit, visiting

pytestmark = [pytest.mark.browser, pytest.mark.tensorflow]

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT / "examples/mnist/published"


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with console(*flags_for(PUBLISHED)) as (_process, address):
        yield address


@pytest.fixture
def opened(browser: Browser, origin: str) -> Iterator[Visit]:
    yield from visit(browser, origin)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_drawn_seven_is_read_as_seven(browser: Browser, origin: str, pictures: Path, scheme: str) -> None:
    for opened in visit(browser, origin, scheme=scheme):
        opened.draw(SEVEN)
        assert opened.ask() == "7"
        expect(opened.page.locator("#answer tbody tr")).to_have_count(10)
        opened.page.screenshot(path=pictures / f"console-{scheme}.png", full_page=True)
        assert opened.complaints == []


def test_a_digit_can_be_drawn_and_asked_with_the_keyboard_alone(opened: Visit) -> None:
    opened.canvas.focus()
    keys = opened.page.keyboard
    for key in ["ArrowUp"] * 8 + [" "] + ["ArrowDown"] * 16 + [" "]:
        keys.press(key)
    while not opened.page.get_by_role("button", name="Ask the model").evaluate(
        "it => it === document.activeElement"
    ):
        keys.press("Tab")
    keys.press("Enter")
    expect(opened.best).to_have_text("1")


def test_the_same_question_again_comes_from_the_kept_answers(opened: Visit) -> None:
    opened.draw([[(0.5, 0.2), (0.5, 0.8)], [(0.3, 0.2), (0.6, 0.4)]])
    opened.ask()
    expect(opened.page.locator("#from")).to_have_text("the model")
    opened.ask()
    expect(opened.page.locator("#from")).to_contain_text("the kept answers")


def test_nothing_is_asked_of_another_address_and_nothing_is_forbidden(opened: Visit) -> None:
    opened.draw(SEVEN)
    opened.ask()
    assert [url for url in opened.asked if not url.startswith((opened.origin, "blob:"))] == []
    assert opened.complaints == []


def test_without_a_drawing_it_says_what_is_missing_and_asks_nothing(opened: Visit) -> None:
    opened.page.get_by_role("button", name="Ask the model").click()
    expect(opened.page.get_by_role("alert")).to_have_text("Draw something for images first.")
    assert not [url for url in opened.asked if url.endswith(":predict")]


def test_a_cleared_drawing_is_empty_again(opened: Visit) -> None:
    opened.draw(SEVEN)
    opened.page.get_by_role("button", name="Clear").click()
    opened.page.get_by_role("button", name="Ask the model").click()
    expect(opened.page.get_by_role("alert")).to_contain_text("Draw something")


def test_every_control_has_a_name_and_the_page_has_landmarks(opened: Visit) -> None:
    nameless = opened.page.locator("select, input, textarea, button, canvas, a").evaluate_all(
        "all => all.filter(it => !(it.labels?.length || it.ariaLabel || it.textContent.trim())).map(it => it.outerHTML)"
    )
    assert nameless == []
    for role in ("main", "banner"):
        expect(opened.page.get_by_role(role)).to_have_count(1)  # type: ignore[arg-type]  # roles are a literal type
    for name in ("Ask", "Answer", "Models and versions"):
        expect(opened.page.get_by_role("region", name=name, exact=True).first).to_be_visible()


def test_on_a_telephone_nothing_is_wider_than_the_screen(browser: Browser, origin: str) -> None:
    for opened in visit(browser, origin, width=360):
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_live_panel_tells_requests_queue_cache_and_window(opened: Visit) -> None:
    opened.draw(SEVEN)
    opened.ask()
    live = opened.page.locator("#live")
    expect(live.locator("[data-figure=Waiting]")).to_have_text(
        "0 requests with 0 rows (high 0, normal 0, low 0)"
    )
    expect(live.locator("[data-figure='Accuracy window']")).to_contain_text(
        "accuracy 0.912, answers are kept from 0.8; now: caching"
    )
    expect(live.locator("[data-figure=Requests]")).not_to_contain_text("0, of which")
    expect(live.get_by_role("table")).to_contain_text("Rows")


def test_a_new_version_is_announced_and_followed(browser: Browser, tmp_path: Path) -> None:
    base_path = tmp_path / "mnist"
    shutil.copytree(PUBLISHED / "1000", base_path / "1000")
    with visiting(browser, *flags_for(base_path), "--file_system_poll_wait_seconds=1") as opened:
        opened.draw(SEVEN)
        shutil.copytree(base_path / "1000", tmp_path / "new")
        manifest = json.loads((tmp_path / "new/manifest.json").read_text()) | {"version": 1001}
        (tmp_path / "new/manifest.json").write_text(json.dumps(manifest))
        (tmp_path / "new").rename(base_path / "1001")
        expect(opened.page.locator("#news")).to_contain_text("mnist version 1001 answers now", timeout=20_000)
        expect(opened.page.get_by_label("Version").locator("option").first).to_have_text("newest (1001)")
        assert opened.ask() == "7"  # what was drawn is still there


def test_a_version_that_cannot_load_shows_its_reason(browser: Browser, tmp_path: Path) -> None:
    base_path = tmp_path / "mnist"
    shutil.copytree(PUBLISHED / "1000", base_path / "1000")
    with visiting(
        browser, *flags_for(base_path), "--file_system_poll_wait_seconds=1", "--max_num_load_retries=0"
    ) as opened:
        (tmp_path / "bad").mkdir()
        (tmp_path / "bad/saved_model.pb").write_bytes(b"no graph")
        (tmp_path / "bad").rename(base_path / "1001")
        row = opened.page.locator("#versions tr", has_text="1001")
        expect(row).to_contain_text("END", timeout=20_000)
        assert len(row.locator("td").last.inner_text()) > 20


def test_a_server_that_goes_away_is_said(browser: Browser) -> None:
    with console(*flags_for(PUBLISHED)) as (process, origin):
        for opened in visit(browser, origin):
            process.process.kill()
            expect(opened.page.locator("#server")).to_contain_text("does not answer", timeout=20_000)
