"""A person at the console: a server with a model, a page that shows it, and hands that draw."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page

from tests.serving.processes import Process, free_port, serving

SEVEN = [[(0.25, 0.25), (0.75, 0.25)], [(0.75, 0.25), (0.45, 0.85)]]
"""Two strokes, as shares of the canvas."""


class Visit:
    """An open page, and everything that went wrong on it."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        self.origin = origin
        page.goto(origin)
        page.get_by_role("status").filter(has_text="The server is ready.").wait_for()

    def draw(self, strokes: list[list[tuple[float, float]]]) -> None:
        """With the mouse."""
        frame = self.canvas.bounding_box()
        assert frame is not None
        mouse = self.page.mouse
        for stroke in strokes:
            points = [(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"]) for x, y in stroke]
            mouse.move(*points[0])
            mouse.down()
            for point in points[1:]:
                mouse.move(*point, steps=10)
            mouse.up()

    def ask(self) -> str:
        """Ask, and return the best name of a new answer."""
        with self.page.expect_response(lambda response: response.request.method == "POST"):
            self.page.get_by_role("button", name="Ask the model").click()
        self.page.locator("#facts").wait_for()
        return self.best.inner_text()

    @property
    def canvas(self) -> Locator:
        return self.page.get_by_label("Drawing of images")

    @property
    def best(self) -> Locator:
        return self.page.locator("#answer .best")


@contextlib.contextmanager
def visiting(browser: Browser, *flags: str, scheme: str = "light", width: int = 1200) -> Iterator[Visit]:
    """A page on a server with these flags."""
    with console(*flags) as (_process, origin):
        yield from visit(browser, origin, scheme=scheme, width=width)


def visit(browser: Browser, origin: str, *, scheme: str = "light", width: int = 1200) -> Iterator[Visit]:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]  # a literal
    try:
        yield Visit(page, origin)
    finally:
        page.close()


@contextlib.contextmanager
def console(*flags: str) -> Iterator[tuple[Process, str]]:
    """A server with a console, and where that is."""
    port = free_port()
    with serving(f"--console_port={port}", *flags) as process:
        yield process, f"http://127.0.0.1:{port}"


def flags_for(base_path: Path, name: str = "mnist") -> tuple[str, ...]:
    return f"--model_name={name}", f"--model_base_path={base_path}"
