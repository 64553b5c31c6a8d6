"""Asking Pulumi what a stack would be made of. It needs no cluster, builds no image, and changes no state."""

import json
import subprocess
from collections.abc import Mapping
from typing import Any, Final

from render.errors import RenderError

_WORDS: Final = ("preview", "--json", "--show-sames", "--non-interactive", "--suppress-progress")


def preview(stack: str, *, folder: str = ".") -> Mapping[str, Any]:
    """Return the steps that an update of `stack` would take, those that change nothing included.

    Raises RenderError with Pulumi's own last words where the program ends with an error.
    """
    asked = subprocess.run(
        ["pulumi", *_WORDS, "--stack", stack], cwd=folder, capture_output=True, text=True, check=False
    )
    said: Mapping[str, Any] = _parsed(asked.stdout)
    if asked.returncode != 0:
        # The program's own words come first; what follows is Pulumi saying that the program has ended.
        errors = [each["message"] for each in said.get("diagnostics", []) if each.get("severity") == "error"]
        lines = [line for text in (*errors, asked.stderr) for line in text.splitlines() if line.strip()]
        reason = (lines or ["no word of why"])[0].strip().removeprefix("error: ")
        raise RenderError(f"the preview of {stack} ended with an error: {reason}")
    return said


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = json.loads(text)
    except ValueError:
        return {}
    return found
