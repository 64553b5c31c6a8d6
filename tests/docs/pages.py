"""The blocks of code in the pages that people follow, and a reader who does what a page says."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
NOTHING: Final = ""
CLUSTER: Final = "cluster"
_MARK = re.compile(r"<!-- (.+) -->\n$")
_FILE = re.compile(r"# (\S+\.(?:py|yaml))\n")


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced block, or an indented one, which has no language."""

    page: str
    heading: str
    """The words of the heading that it stands under, of whatever level."""
    language: str
    text: str
    mark: str
    """What the comment before it says: NOTHING, CLUSTER for one that needs one, or `by hand: ` and why no test runs it."""

    @property
    def file(self) -> str:
        """The file that its first line names, where it is one to be saved."""
        named = _FILE.match(self.text)
        return named[1] if named else ""

    @property
    def is_shell(self) -> bool:
        return self.language in {"sh", "bash", "console"}


def blocks_of(page: str) -> list[Block]:
    """Every block of code of a page, in order."""
    found, heading, mark = [], "", NOTHING
    tokens = MarkdownIt().parse((ROOT / page).read_text())
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = tokens[number + 1].content
        elif token.type in {"fence", "code_block"}:
            found.append(
                Block(page=page, heading=heading, language=_word(token.info), text=token.content, mark=mark)
            )
        marked = _MARK.match(token.content) if token.type == "html_block" else None
        mark = marked[1] if marked else NOTHING
    return found


class Reader:
    """Does what a page says, in the checkout: saves its files and runs its commands, block by block, in one shell's environment."""

    def __init__(
        self, blocks: Collection[Block], replace: Mapping[str, str], saved: Collection[str], folder: Path
    ) -> None:
        self._left = list(blocks)
        self._replace, self._saved, self._folder = replace, saved, folder
        self._environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "PULUMI_SKIP_CONFIRMATIONS": "true",  # a reader would say yes
        }

    def next(self) -> str:
        """Save files up to the next block of commands, run that, and return what it printed."""
        while self._left:
            block = self._left.pop(0)
            if block.file and block.language in self._saved:
                self._save(block)
            elif block.is_shell:
                return self._run(self._replaced(block.text))
        raise AssertionError("the page has no more commands")

    def rest(self) -> list[str]:
        """Do all that is left, and return what each block of commands printed."""
        printed = []
        while not self.has_ended:
            printed.append(self.next())
        return printed

    @property
    def has_ended(self) -> bool:
        """Whether no command is left."""
        return not any(block.is_shell for block in self._left)

    def _save(self, block: Block) -> None:
        path = self._folder / self._replaced(block.file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._replaced(block.text))

    def _run(self, script: str) -> str:
        with tempfile.NamedTemporaryFile() as exported:
            # What a block exports is there for the next one, and what it started ends with it.
            ends = f"trap 'env -0 >{exported.name}; kill $(jobs -p) 2>/dev/null || true' EXIT\n"
            shell = subprocess.Popen(
                ["bash", "-euo", "pipefail", "-c", ends + script],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            try:
                printed, complained = shell.communicate()
            except BaseException:  # the time of the test is up: what the block started is not left behind
                os.killpg(shell.pid, signal.SIGKILL)
                raise
            assert shell.returncode == 0, f"{script}\n{printed}\n{complained}"
            variables = exported.read().decode().split("\0")
        self._environment = dict(each.split("=", 1) for each in variables if each)
        return printed

    def _replaced(self, text: str) -> str:
        if not self._replace:
            return text
        # In one pass, the longest first: what was put in is not looked at again.
        names = sorted(self._replace, key=len, reverse=True)
        return re.sub("|".join(map(re.escape, names)), lambda found: self._replace[found[0]], text)


@contextmanager
def reading(
    page: str,
    *,
    needs: Collection[str] = (NOTHING,),
    replace: Mapping[str, str] | None = None,
    saved: Collection[str] = ("python",),
    folder: Path = ROOT,
) -> Iterator[Reader]:
    """Read a page, or with `page#Heading` what stands under one heading, and see at the end that no block was left out.

    Files are those in the languages `saved`, commands those whose mark is one of `needs`; `replace` makes names and ports the test's own.
    Which tests read what is itself tested (`test_every_command_is_run_by_a_test_or_says_why_not`), so name page and needs in the call.
    """
    name, _, heading = page.partition("#")
    chosen = [block for block in blocks_of(name) if not heading or block.heading == heading]
    reader = Reader([block for block in chosen if block.mark in needs], replace or {}, saved, folder)
    yield reader
    assert reader.has_ended, f"{page} says more than the test reads"


def _word(info: str) -> str:
    """Return the language that a fence names, of `{toctree}` as of `sh`."""
    return info.strip("{}").split()[0].strip("{}") if info else ""
