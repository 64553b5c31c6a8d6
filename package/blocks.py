"""From what Pulumi hands a hosted component to the plain sections that `components.config` reads.

A hosted component receives a dict with Python's names, whatever its annotation says (pulumi/pulumi#18526), and whole numbers as floats;
the configuration's own reader takes both, once the names are spelled as keys.
"""

from collections.abc import Mapping
from typing import Any

from components.config.fields import key_of


def section(args: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the block `name` with the configuration's keys; empty where it was left out."""
    return {key_of(field): value for field, value in (args.get(name) or {}).items()}


def sections(args: Mapping[str, Any], *names: str) -> dict[str, dict[str, Any]]:
    """Return several blocks by name."""
    return {name: section(args, name) for name in names}
