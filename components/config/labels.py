"""Labels as a stack's file gives them: what an API server would refuse, minutes later and by another name."""

import re
from collections.abc import Mapping
from typing import Any, Final

from components.config.fields import DNS_NAME, LABEL_VALUE
from components.errors import ConfigError, config_error

_KEY: Final = rf"({DNS_NAME}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?"


def check_labels(labels: Mapping[str, Any], where: str) -> None:
    """Raise ConfigError for the first key or value that no label can have."""
    for key, value in labels.items():
        if not re.fullmatch(_KEY, str(key)):
            raise ConfigError(
                f"{where} has the key {key!r}, which no label can have; write it as `release` or `example.com/release`"
            )
        if not isinstance(value, str) or not re.fullmatch(LABEL_VALUE[0], value):
            remedy = "write a number or true in quotes, and leave other signs out"
            raise config_error(f"{where}.{key}", LABEL_VALUE[1], value, remedy)
