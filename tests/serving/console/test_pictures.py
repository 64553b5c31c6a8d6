"""The console with a model that takes photos: the file as it is, a preview, and names instead of numbers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.serving.console.visits import Visit, console, flags_for, visit

pytestmark = [pytest.mark.browser, pytest.mark.tensorflow]

CAT = Path(__file__).parents[3] / "examples/imagenet/cat.jpg"


@pytest.fixture(scope="module")
def origin(imagenet: Path) -> Iterator[str]:
    with console(*flags_for(imagenet, "imagenet"), "--accuracy_start=0") as (_process, address):
        yield address


@pytest.fixture
def opened(browser: Browser, origin: str) -> Iterator[Visit]:
    yield from visit(browser, origin)


def test_a_photo_of_a_cat_is_read_as_a_cat(opened: Visit, pictures: Path) -> None:
    opened.page.get_by_label("images", exact=True).set_input_files(CAT)
    expect(opened.page.get_by_alt_text("Preview of cat.jpg")).to_be_visible()
    assert opened.ask() in {"Egyptian Mau", "a cat having a striped coat", "tabby cat"}
    opened.page.screenshot(path=pictures / "console-photo.png", full_page=True)
    assert opened.complaints == []


def test_a_file_that_is_no_picture_is_refused_in_the_models_words(opened: Visit, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.jpg"
    wrong.write_bytes(b"this is no picture")
    opened.page.get_by_label("images", exact=True).set_input_files(wrong)
    expect(opened.page.get_by_role("status").filter(has_text="cannot show it")).to_be_visible()
    with opened.page.expect_response(lambda response: response.request.method == "POST") as answered:
        opened.page.get_by_role("button", name="Ask the model").click()
    assert answered.value.status == 400
    expect(opened.page.get_by_role("alert")).to_contain_text("400: ")


def test_without_a_file_it_says_what_is_missing(opened: Visit) -> None:
    opened.page.get_by_role("button", name="Ask the model").click()
    expect(opened.page.get_by_role("alert")).to_have_text("Choose a picture for images first.")
