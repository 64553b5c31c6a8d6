"""Of which of several models a mistake is: a section knows its own keys, and not whose section it is."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from components.errors import ConfigError


@contextmanager
def said_of(name: str, *, is_one_of_several: bool = True) -> Iterator[None]:
    """Put the model's name before a ConfigError that lacks it, and its path into the command that mends it."""
    try:
        yield
    except ConfigError as error:
        said = str(error)
        if not is_one_of_several or f"models.{name}" in said:
            raise
        path = f"models.{name}" if re.fullmatch(r"[\w-]+", name) else f'models["{name}"]'
        mended = re.sub(r"--path ([^ ]+)", lambda match: f"--path '{path}.{match[1]}'", said)
        raise ConfigError(f"models.{name}: {mended}") from error
