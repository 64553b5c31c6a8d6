"""Setting values as text and back: the one spelling that flags and environment variables share."""

import difflib
from collections.abc import Callable, Iterable
from typing import Any

from serving.errors import SettingsError

Value = bool | int | float | str | None


def parse(kind: Any, text: str, *, source: str) -> Value:  # noqa: ANN401 - `float | None` is no `type`
    """`text` as a value of `kind`; `source` is how the operator spelled it, for the message.

    Raises SettingsError when it does not parse.
    """
    try:
        return _PARSERS[kind](text)
    except ValueError:
        raise SettingsError(f"{source} must be {_KIND_NAMES[kind]}, got {text!r}") from None


def render(value: Value) -> str:
    """The text that `parse` reads back as `value`."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean X?` for the nearest known word, or nothing."""
    nearest = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {nearest[0]}?" if nearest else ""


def _parse_bool(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"


def _parse_optional_float(text: str) -> float | None:
    return float(text) if text else None


_PARSERS: dict[Any, Callable[[str], Value]] = {
    bool: _parse_bool,
    int: int,
    float: float,
    str: str,
    float | None: _parse_optional_float,
}
_KIND_NAMES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    float | None: "a number or empty",
}
