"""Flag types that several verbs share, and the one way to print a progress line."""

from __future__ import annotations


def names(text: str) -> tuple[str, ...]:
    """Split `a, b` into its names."""
    return tuple(each.strip() for each in text.split(",") if each.strip())


def say(line: str) -> None:
    """Print at once: whoever reads a pipe wants progress while it happens."""
    print(line, flush=True)
