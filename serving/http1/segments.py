"""Segments of a path: decoded in one place, so that no two readers of a path can disagree."""

from urllib.parse import unquote_to_bytes


def decode_segment(segment: str) -> str | None:
    """A path segment with its percent-escapes resolved once; None when it hides something.

    What is hidden: another escape, a separator, a control character, or bytes that are no UTF-8.
    """
    try:
        text = unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        return None
    is_plain = text.isprintable() and not set(text) & set("%/\\:") and text not in {"", ".", ".."}
    return text if is_plain else None
