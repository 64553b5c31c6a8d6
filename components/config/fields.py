"""One configuration section read from plain data: every key known, every value of its type, its unit and its range.

A section is a frozen dataclass whose fields are made by `setting`; the field's name in camelCase is the key, and its annotation is
the type. Nothing here knows which sections there are.
"""

import dataclasses
import difflib
import re
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from components.errors import ConfigError, config_error

Section = TypeVar("Section")

DNS_LABEL: typing.Final = (
    r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?",
    "a DNS label: lower-case letters, digits and dashes, at most 63",
)
DNS_NAME: typing.Final = rf"{DNS_LABEL[0]}(\.{DNS_LABEL[0]})*"
OBJECT_NAME: typing.Final = (
    rf"(?=.{{1,253}}$){DNS_NAME}",
    "the name of an object: lower-case letters, digits, dashes and dots, at most 253",
)
LABEL_VALUE: typing.Final = (
    r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?",
    "the value of a label: letters, digits, `-`, `_`, `.`, at most 63, with a letter or digit at both ends",
)
_UNITS: typing.Final = ("Seconds", "Mib", "Millicores", "Percent")
_TYPE_NAMES: typing.Final = {str: "string", int: "integer", bool: "boolean", tuple[str, ...]: "array"}


def setting(
    default: Any,  # noqa: ANN401 - the field's own annotation is the type, as with dataclasses.field
    doc: str,
    *,
    minimum: int | None = None,
    maximum: int | None = None,
    choices: tuple[str, ...] = (),
    pattern: tuple[str, str] | None = None,
) -> Any:  # noqa: ANN401
    """A field with its default, its description, and the limits that `check_limits` holds it to.

    `pattern` is a regular expression for the whole text, or each text of a list, with the words that say what it means. An empty text passes
    where it is the default, and stands for none.
    """
    metadata = {"doc": doc, "minimum": minimum, "maximum": maximum, "choices": choices, "pattern": pattern}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=default.copy, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def required(doc: str, *, pattern: tuple[str, str] | None = None) -> Any:  # noqa: ANN401 - see `setting`
    """A field that every stack must set."""
    return dataclasses.field(metadata={"doc": doc, "pattern": pattern, "required": True})


def key_of(field_name: str) -> str:
    """`memory_mib` -> `memoryMib`, as keys are spelled in stack files."""
    head, *rest = field_name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def type_name(annotation: object) -> str:
    """The type as Pulumi.yaml spells it: `string`, `integer`, `boolean`, `array` or `object`."""
    return _TYPE_NAMES.get(annotation, "object")  # type: ignore[call-overload, no-any-return] # annotations are hashable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean X?` for the nearest known word, else the list of all."""
    words = sorted(known)
    near = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else f"; known here: {', '.join(words)}"


def read_section(section: type[Section], raw: Mapping[str, object], *, where: str) -> Section:
    """Build `section` from the object `raw`; what it leaves out has the section's default.

    Raises ConfigError for an unknown or missing key, or a value that its field refuses.
    """
    definitions = {key_of(each.name): each for each in dataclasses.fields(section)}  # type: ignore[arg-type] # a dataclass
    for key in raw:
        if key not in definitions:
            raise ConfigError(f"unknown key {where}.{key}{did_you_mean(str(key), definitions)}")
    _refuse_missing(definitions, raw, where)
    hints = typing.get_type_hints(section)
    names = {key: definitions[key].name for key in raw}
    return section(
        **{names[key]: parse(hints[names[key]], value, f"{where}.{key}") for key, value in raw.items()}
    )


def check_limits(section: object, where: str) -> None:
    """Raise ConfigError for the first field of a section instance that is outside its limits."""
    for definition in dataclasses.fields(section):  # type: ignore[arg-type] # a dataclass instance
        _check_limit(definition, getattr(section, definition.name), f"{where}.{key_of(definition.name)}")


def parse(annotation: object, value: object, key: str) -> object:
    """`value` as `annotation`: the CLI hands over numbers and booleans as themselves or as their text.

    Raises ConfigError naming `key` when the value is of another type.
    """
    if annotation is int:
        return _integer(value, key)
    if annotation is bool:
        return _boolean(value, key)
    if annotation is str:
        return _text(value, key)
    if annotation == tuple[str, ...]:
        return _texts(value, key)
    if not isinstance(value, Mapping):
        raise config_error(key, "an object of keys", value)
    return {str(name): inside for name, inside in value.items()}


def text_of(path: Path, key: str) -> str:
    """The text of the file that `key` names. Raises ConfigError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:  # what is no text, and a name with a null byte
        raise config_error(
            key, "the path of a readable text file", str(path), f"{error}; mend the path or leave it out"
        ) from error


def _integer(value: object, key: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,30}", value):
        return int(value)
    remedy = ""
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)? ?[a-zA-Z]+", value):
        remedy = "the unit is in the key's name: write the number alone"
    raise config_error(key, "a whole number", value, remedy)


def _boolean(value: object, key: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in {"true", "false"}:
        return value == "true"
    raise config_error(key, "true or false", value)


def _text(value: object, key: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise config_error(key, "a text", value)


def _texts(value: object, key: str) -> tuple[str, ...]:
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return tuple(value)
    raise config_error(
        key, "a list of texts", value, f"set it with `pulumi config set --path '{key}[0]' VALUE`"
    )


def _refuse_missing(
    definitions: Mapping[str, "dataclasses.Field[Any]"], raw: Mapping[str, object], where: str
) -> None:
    for key, definition in definitions.items():
        if definition.metadata.get("required") and key not in raw:
            path = f"{where}.{key}"
            doc = definition.metadata["doc"]
            raise ConfigError(f"{path} is not set: {doc} Set it with `pulumi config set --path {path} VALUE`")


def _check_limit(definition: "dataclasses.Field[Any]", value: Any, key: str) -> None:  # noqa: ANN401 - any field's value
    limits = definition.metadata
    if limits.get("choices") and value not in limits["choices"]:
        raise config_error(key, f"one of {', '.join(limits['choices'])}", value)
    if limits.get("minimum") is not None and value < limits["minimum"]:
        raise config_error(key, f"at least {limits['minimum']}", value)
    if limits.get("maximum") is not None and value > limits["maximum"]:
        remedy = "the unit is in the key's name" if key.endswith(_UNITS) else ""
        raise config_error(key, f"at most {limits['maximum']}", value, remedy)
    if value == "" and definition.default != "":
        raise config_error(key, "a text that is not empty", value)
    if limits.get("pattern"):
        _check_pattern(limits["pattern"], value, key)


def _check_pattern(pattern: tuple[str, str], value: Any, key: str) -> None:  # noqa: ANN401 - a text, or texts
    expression, meaning = pattern
    if isinstance(value, tuple):
        for each in value:
            if not re.fullmatch(expression, each):
                raise config_error(key, f"a list, each {meaning}", each)
    elif value and not re.fullmatch(expression, value):
        raise config_error(key, meaning, value)
