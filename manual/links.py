"""Links between pages that stand in other places on the site than in the checkout.

A link to a file that is no page (source code, an example) becomes plain text: on the site there is nothing to open.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s#]*)(#[^)\s]*)?\)")
_ADDRESS = re.compile(r"[a-z]+:", re.IGNORECASE)


def moved(text: str, *, page: PurePosixPath, places: Mapping[PurePosixPath, PurePosixPath]) -> str:
    """Return a page's text with its links as they must be on the site.

    `page` is where it stands in the checkout; `places` says for everything that is on the site where that is, by its path in the
    checkout.
    """
    return _LINK.sub(_rewriter(page, places), text)


def _rewriter(
    page: PurePosixPath, places: Mapping[PurePosixPath, PurePosixPath]
) -> Callable[[re.Match[str]], str]:
    here = places[page].parent

    def rewrite(link: re.Match[str]) -> str:
        mark, text, target, anchor = link[1], link[2], link[3], link[4] or ""
        if not target or _ADDRESS.match(target):
            return link[0]
        meant = PurePosixPath(os.path.normpath(page.parent / target))
        place = places.get(meant) or places.get(meant / "README.md")
        if place is None:
            return text
        return f"{mark}[{text}]({os.path.relpath(place, here)}{anchor})"

    return rewrite
