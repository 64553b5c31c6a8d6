"""The command lines behind `bin/setup` and `bin/pulumi`: `python3 -m toolchain setup|env`."""

import argparse
import os
import sys

from toolchain import environment, folders, pruning, setup, virtualenvs
from toolchain.build import KEEP_VARIABLE
from toolchain.errors import ToolchainError
from toolchain.progress import Progress

SETUP_NOTES = f"""\
environment variables:
  XDG_CACHE_HOME, XDG_DATA_HOME, XDG_STATE_HOME
                        where the cache, the local Pulumi state and the cluster are kept
  {KEEP_VARIABLE}=1
                        keep Go's build and module caches (16 GB) after the binaries stand
"""


def main(arguments: list[str]) -> int:
    """Run one command; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except ToolchainError as error:
        print(f"{options.name}: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        # A full or read-only disk, a folder of another user: the machine's trouble, and its own words say which.
        print(f"{options.name}: {error}; mend that and run the same command again", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m toolchain", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="setup|env")
    set_up = commands.add_parser(
        "setup", prog="bin/setup", description=setup.__doc__, epilog=SETUP_NOTES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    set_up.add_argument(
        "--context", metavar="NAME", help="use the cluster of this kubeconfig context, not a local one"
    )
    set_up.add_argument("--only", choices=["venvs"], help="set up this part alone")
    set_up.add_argument(
        "--browser",
        action="store_true",
        help="also install what only tests need: Chromium, to open the console in, and Node, for programs in TypeScript",
    )
    set_up.add_argument(
        "--docker-host", action="store_true", help="also build the plugin for stacks on a plain Docker host"
    )
    set_up.add_argument("--stand-in-nodes", action="store_true", help="also build kwok, for tests/e2e/scale")
    set_up.add_argument(
        "--controllers",
        action="store_true",
        help="also build the controllers of other projects, for tests/by_hand/ecosystem",
    )
    set_up.add_argument(
        "--prune", action="store_true", help="also remove what earlier states of this checkout needed"
    )
    set_up.add_argument("--quiet", action="store_true", help="print nothing unless something fails, or lasts")
    set_up.add_argument(
        "--print-python", action="store_true", help="print the path of the development Python and end"
    )
    set_up.set_defaults(run=_setup, name="bin/setup")
    env = commands.add_parser(
        "env", help="print the environment of the project's commands for a shell to evaluate"
    )
    env.set_defaults(run=_env, name="bin/pulumi")
    return parser


def _setup(options: argparse.Namespace) -> int:
    places = folders.locate()
    if options.print_python:
        print(virtualenvs.location(virtualenvs.DEV, places) / "bin" / "python")
        return 0
    progress = Progress(sys.stderr if options.quiet else sys.stdout, is_quiet=options.quiet)
    scope = setup.Scope(
        context=options.context,
        only_virtual_environments=options.only == "venvs",
        with_browser=options.browser,
        with_docker_host=options.docker_host,
        with_stand_in_nodes=options.stand_in_nodes,
        with_controllers=options.controllers,
    )
    setup.run(places, progress, scope)
    if options.prune:
        pruning.prune(places, progress)
    return 0


def _env(_options: argparse.Namespace) -> int:
    print(environment.exports(environment.variables(folders.locate(), os.environ)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
