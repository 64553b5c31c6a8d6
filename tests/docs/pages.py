"""The blocks of code in the pages that people follow, and running them as a person would."""

import os
import re
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^(?:<!-- (\w+) -->\n)?```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"# (\S+\.(?:py|yaml))\n")


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced block."""

    page: str
    language: str
    text: str
    needs: str
    """`cluster` for one that is not run without it; its commands are checked instead."""

    @property
    def file(self) -> str:
        """The file that its first line names, where it is one to be saved."""
        named = _FILE.match(self.text)
        return named[1] if named else ""


def blocks_of(page: str) -> list[Block]:
    """Every fenced block of a page, in order."""
    found = _BLOCK.findall((ROOT / page).read_text())
    return [Block(page=page, language=language, text=text, needs=needs) for needs, language, text in found]


def follow(page: str, *, replace: Mapping[str, str], saved: Collection[str] = ("python",)) -> list[str]:
    """Do what a page says, in the checkout: save its files in the languages `saved`, run its commands.

    Returns what each shell block printed.
    """
    printed = []
    for block in blocks_of(page):
        text = _replaced(block.text, replace)
        if block.file and block.language in saved:
            path = ROOT / _replaced(block.file, replace)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        elif block.language == "sh" and not block.needs:
            printed.append(_run(text))
    return printed


def _run(script: str) -> str:
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _replaced(text: str, replace: Mapping[str, str]) -> str:
    for old, new in replace.items():
        text = text.replace(old, new)
    return text
