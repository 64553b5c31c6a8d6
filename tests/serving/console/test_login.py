"""A person at the console of a guarded server: shown nothing, logged in, and forgotten."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.serving.access.worlds import identity, write_access
from tests.serving.console.visits import console, flags_for

pytestmark = [pytest.mark.browser, pytest.mark.tensorflow]

PATIENCE_MS = 30_000
"""For machines that do much else meanwhile."""
PUBLISHED = Path(__file__).parents[3] / "examples/mnist/published"


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    access = write_access(
        tmp_path_factory.mktemp("access") / "access.json",
        identity("operator", "op", models={"*": ["infer", "describe"]}, server=["observe"]),
        identity("shop", "shop", models={"mnist": ["infer"]}),
    )
    with console(*flags_for(PUBLISHED), f"--access_file={access}") as (_process, address):
        yield address


@pytest.fixture
def page(browser: Browser, origin: str) -> Iterator[Page]:
    opened = browser.new_page()
    opened.goto(origin)
    expect(opened.get_by_label("Token")).to_be_focused(timeout=PATIENCE_MS)
    yield opened
    opened.close()


def log_in(page: Page, token: str) -> None:
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Log in").click()


def test_who_logs_in_sees_the_models_and_may_ask(page: Page) -> None:
    expect(page.locator("#versions tr")).to_have_count(0, timeout=PATIENCE_MS)
    log_in(page, "op")
    expect(page.get_by_role("status").filter(has_text="The server is ready.")).to_be_visible(
        timeout=PATIENCE_MS
    )
    expect(page.get_by_label("Token")).to_be_hidden(timeout=PATIENCE_MS)
    expect(page.get_by_role("link", name="OpenAPI page")).to_be_hidden(timeout=PATIENCE_MS)
    page.get_by_label("Drawing of images").click()
    page.get_by_role("button", name="Ask the model").click()
    expect(page.locator("#answer tbody tr")).to_have_count(10, timeout=PATIENCE_MS)


@pytest.mark.parametrize(
    ("token", "reason"),
    [("wrong", "expected a bearer token that the server knows"), ("shop", "shop may not read the server's")],
)
def test_who_may_not_look_is_told_why_and_may_try_again(page: Page, token: str, reason: str) -> None:
    log_in(page, token)
    expect(page.get_by_role("alert").filter(has_text=reason)).to_be_visible(timeout=PATIENCE_MS)
    log_in(page, "op")
    expect(page.get_by_role("status").filter(has_text="The server is ready.")).to_be_visible(
        timeout=PATIENCE_MS
    )


def test_a_page_that_is_loaded_anew_has_forgotten_the_token(page: Page) -> None:
    log_in(page, "op")
    expect(page.get_by_role("status").filter(has_text="The server is ready.")).to_be_visible(
        timeout=PATIENCE_MS
    )
    page.reload()
    expect(page.get_by_label("Token")).to_be_focused(timeout=PATIENCE_MS)
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
