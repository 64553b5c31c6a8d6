"""Links between pages that stand elsewhere on the site."""

from pathlib import PurePosixPath

import pytest

from manual.links import moved

PLACES = {
    PurePosixPath(source): PurePosixPath(place)
    for source, place in {
        "docs/config.md": "config.md",
        "docs/adr/README.md": "adr/README.md",
        "docs/adr/0001-a.md": "adr/0001-a.md",
        "docs/pictures/a.png": "pictures/a.png",
        "SECURITY.md": "security.md",
    }.items()
}


@pytest.mark.parametrize(
    ("page", "text", "expected"),
    [
        ("SECURITY.md", "[c](docs/config.md#cluster)", "[c](config.md#cluster)"),
        ("docs/adr/0001-a.md", "[s](../../SECURITY.md)", "[s](../security.md)"),
        ("docs/config.md", "[all](adr/)", "[all](adr/README.md)"),
        ("docs/config.md", "![a](pictures/a.png)", "![a](pictures/a.png)"),
        ("docs/config.md", "see [code](../components/pod.py).", "see code."),
        (
            "docs/config.md",
            "[out](https://example.com/a.md) [here](#there)",
            "[out](https://example.com/a.md) [here](#there)",
        ),
    ],
    ids=["to a page", "from below", "to a folder", "a picture", "to source code", "addresses"],
)
def test_a_link_leads_to_where_the_page_is_now(page: str, text: str, expected: str) -> None:
    assert moved(text, page=PurePosixPath(page), places=PLACES) == expected
