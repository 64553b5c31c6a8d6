"""`python -m model_export VERB …`: the command line.

Only the dispatch lives here. The verb is found before its module is imported, so that reading verbs start in the time of an
interpreter and only `export`, `verify` and `evaluate` pay for TensorFlow. Every expected failure is one sentence on stderr.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from model_export import commands
from model_export.errors import ExportError, VerificationError

EXIT_CODES = """\
exit codes:
  0    done, or nothing to do
  1    failed; the last line on stderr says what was expected, what was received and what to do
  2    the command line is wrong
  3    the check ran and says no: `verify` found other answers, `diff` a breaking change, `identify` no trusted signature
  130  interrupted
  141  whoever read the output, such as `head`, stopped reading
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the process's exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser(chosen=words[0] if words else None)
    args = parser.parse_args(words)
    command = commands.load(args.verb)
    try:
        code = command.run(args)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more at its end, and would complain then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except VerificationError as error:
        return _fail(error, code=3)
    except ExportError as error:
        return _fail(error, code=1)
    except OSError as error:
        # A full disk, a read-only folder: whatever was half made was in a hidden folder, which is gone.
        return _fail(f"{error}; give the disk room or the right to write, and try again", code=1)
    except KeyboardInterrupt:
        return _fail("interrupted", code=130)
    return code


def _parser(*, chosen: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m model_export",
        description="Turn any trained TensorFlow model into one verified, versioned servable, and keep it.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, summary in commands.VERBS.items():
        child = verbs.add_parser(
            verb,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if verb == chosen:
            commands.load(verb).add_arguments(child)
    return parser


def _fail(reason: ExportError | str, *, code: int) -> int:
    print(f"error: {reason}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
