"""Mistakes of the operator, each a sentence: what was expected, what was received, what to do next.

pulumi.RunError            ends a program with its message and no stack trace
└── ConfigError            a configuration key is unknown, mistyped, out of range, or contradicts another

Pulumi prints such a message as the last line of the preview, and nothing is applied.
"""

import pulumi


class ConfigError(pulumi.RunError):
    """A configuration value that no deployment can be made from."""


def config_error(key: str, expected: str, received: object, remedy: str = "") -> ConfigError:
    """`server.replicas must be at least 1, got 0; …`, with the command that sets the key unless `remedy` says better."""
    advice = remedy or f"set it with `pulumi config set --path {key} VALUE`"
    return ConfigError(f"{key} must be {expected}, got {received!r}; {advice}")
