"""The verbs of `python -m model_export`, one file each.

Belongs here: a verb's flags, its progress lines and its result in words or JSON. Does not belong here: the work itself, which
lives in the rooms beside this one. A verb's module offers `add_arguments(parser)` and `run(args) -> int`, and imports what it
needs inside `run`: `--help` and the verbs that only read files must never meet TensorFlow.
"""

from __future__ import annotations

import argparse
import importlib
from typing import Final, Protocol, cast

VERBS: Final = {
    "export": "freeze a trained model into one verified, versioned servable",
    "verify": "ask a servable and its source the same questions, and compare",
    "compare": "ask one version what another was asked, and measure how far they are apart",
    "evaluate": "measure a servable's accuracy on labelled examples",
    "inspect": "show what a servable is: signatures, ops, bytes, manifest",
    "diff": "compare the contracts of two servables, field by field",
    "sign": "vouch for a servable with your key",
    "identify": "say who signed a servable, and whether it is still what was signed",
    "sbom": "list what a servable, or its image, is made of (SPDX)",
    "scan": "compare what a bill of materials lists with a database of weaknesses (OSV)",
    "publish": "put a servable into a model repository, whole or not at all",
    "fetch": "take a servable out of a model repository, every digest checked",
    "list": "list the versions and labels of a model in a repository",
    "label": "point a label such as stable or canary at a version",
    "gc": "remove the versions that no label and no retention rule keeps",
}


class Command(Protocol):
    """What a verb's module offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the verb's flags; may set the parser's epilog to examples."""

    def run(self, args: argparse.Namespace) -> int:
        """Do it and return the exit code. Raises ExportError for what an operator can act on."""


def load(verb: str) -> Command:
    """Import the module of one verb, and of no other."""
    return cast("Command", importlib.import_module(f"{__name__}.{verb}"))
