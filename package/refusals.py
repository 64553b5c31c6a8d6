"""A mistake in a program of another language, as its author sees it: the configuration's sentence, without a trace of Python.

Pulumi has an exception for bad inputs, which its server shows as it is. Its host of components wraps every exception of a constructor before
the server sees it, this one too, and what is wrapped is shown with its trace.
"""

import functools
import re
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

import pulumi
from pulumi.errors import InputPropertiesError
from pulumi.provider.experimental import component as host

Component = TypeVar("Component")
Arguments = ParamSpec("Arguments")


def said_plainly(
    construct: Callable[Concatenate[Component, Arguments], None],
) -> Callable[Concatenate[Component, Arguments], None]:
    """Return the constructor with its refusals turned into what Pulumi shows as a sentence."""

    @functools.wraps(construct)
    def constructed(component: Component, /, *args: Arguments.args, **options: Arguments.kwargs) -> None:
        try:
            construct(component, *args, **options)
        except pulumi.RunError as error:
            # Without a list of properties, even an empty one, its server fails.
            raise InputPropertiesError(_without_commands(str(error)), []) from error

    return constructed


def show_refusals() -> None:
    """Have the host of this process pass bad inputs on unwrapped. To go when Pulumi's own host does: seen with its SDK 3.259.0."""
    names = vars(host)
    wrapped = names["ComponentInitError"]
    names["ComponentInitError"] = lambda inner: (
        inner if isinstance(inner, InputPropertiesError) else wrapped(inner)
    )


def _without_commands(said: str) -> str:
    # There is no stack's file to set a key in: the key is in the program.
    return re.sub(r"; set it with `pulumi config set [^`]*`", "; set it in the program", said)
