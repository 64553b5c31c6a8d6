"""Setting values as text and back, and their limits: what flags and environment variables share."""

import dataclasses
import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from serving.errors import SettingsError

Value = bool | int | float | str | None


def setting(
    default: Any,  # noqa: ANN401 - the field's own annotation is the type, as with dataclasses.field
    doc: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:  # noqa: ANN401
    """A field of a table of settings; what is said here about it is what `check_range` holds it to."""
    metadata = {"doc": doc, "minimum": minimum, "maximum": maximum, "choices": choices}
    return dataclasses.field(default=default, metadata=metadata)


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


def check_range(name: str, value: Value, metadata: Mapping[str, Any]) -> None:
    """Raises SettingsError unless `value` is among the choices, or within the limits, that `metadata` names."""
    minimum, maximum, choices = metadata["minimum"], metadata["maximum"], metadata["choices"]
    if choices and value not in choices:
        raise SettingsError(f"{name} must be one of {', '.join(choices)}, got {value!r}")
    if value is None or isinstance(value, (bool, str)):
        return
    if not _is_within(value, minimum, maximum):
        limits = [f"at least {minimum}"] * (minimum is not None) + [f"at most {maximum}"] * (
            maximum is not None
        )
        raise SettingsError(f"{name} must be {' and '.join(limits)}, got {value}")


def _is_within(value: float, minimum: float | None, maximum: float | None) -> bool:
    # Written so that NaN is outside of every range.
    return (minimum is None or value >= minimum) and (maximum is None or value <= maximum)


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
