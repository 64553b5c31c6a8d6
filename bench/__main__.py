"""`bin/bench serving|export`: measure, judge, tell."""

import argparse
import os
import sys
from collections.abc import Sequence

from bench import cases, document, export, export_document, machine, report, verdicts
from bench.cases import Case
from bench.environments import Environments
from bench.errors import BenchError
from bench.models import prepare
from bench.processes import choose_cores, claim_priority
from bench.report import Report
from bench.rounds import Bench
from bench.trials import ALL, Trial
from toolchain import folders, locks
from toolchain.progress import Progress

EPILOG = """\
cases of `serving`: {cases}

exit codes: 0 every gate held, 1 a gate not held or not measured, 2 wrong flags or nothing could be measured
"""
EXPORT_EPILOG = EPILOG.replace("serving", "export")


def main(arguments: Sequence[str]) -> int:
    """Run one command; return the exit code."""
    options = _parser().parse_args(arguments)
    progress = Progress(sys.stderr)
    try:
        with locks.exclusive(folders.locate().cache / "bench.lock", progress):
            result: Report = options.measure(options, progress)
    except BenchError as error:
        print(f"bin/bench: {error}", file=sys.stderr)
        return 2
    report.print_table(result, sys.stdout)
    if options.write_docs:
        options.write(result, f"bin/bench {' '.join(arguments)}")
    if options.json:
        report.print_json(result)
    return 0 if result.is_held else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="serving|export")
    serving = commands.add_parser(
        "serving", help="our server beside its peers", formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EPILOG.format(cases=", ".join(case.name for case in cases.SERVING)),
    )  # fmt: skip
    serving.set_defaults(measure=measure_serving, write=document.write)
    exporting = commands.add_parser(
        "export", help="freezing and exporting beside TensorFlow and Keras", formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EXPORT_EPILOG.format(cases=", ".join(case.name for case in export.cases())),
    )  # fmt: skip
    exporting.set_defaults(measure=measure_export, write=export_document.write)
    serving.add_argument(
        "--seconds", type=_at_least_one, default=3, metavar="S", help="of each load; default: 3"
    )
    for command in (serving, exporting):
        command.add_argument(
            "--write-docs", action="store_true", help="put the numbers into docs/benchmarks.*"
        )
        command.add_argument("--json", action="store_true", help="print one JSON object on the last line")
        command.add_argument("--rounds", type=_at_least_one, default=3, metavar="N", help="default: 3")
        command.add_argument(
            "--only", action="append", default=[], metavar="CASE", help="a case or a pattern; may be repeated"
        )
    return parser


def measure_serving(options: argparse.Namespace, progress: Progress) -> Report:
    """Interleaved rounds of everything that the chosen cases need. Raises BenchError when nothing can be measured."""
    chosen = _chosen(options.only)
    trials = _trials(chosen)
    places, cores = folders.locate(), choose_cores()
    # The bench itself, and with it every client, keeps off the server's core.
    os.sched_setaffinity(0, {cores.client})
    environments = Environments(places, progress)
    environments.install_tools()
    bench = Bench(
        environments=environments, models=prepare(places, progress), cores=cores, seconds=options.seconds, progress=progress
    )  # fmt: skip
    facts = machine.describe()
    claim_priority()
    log = bench.run(trials, options.rounds)
    used = [trial.server.environment for trial in trials if trial.server]
    return Report(
        verdicts=verdicts.judge(chosen, log), log=log, machine=facts, versions=machine.versions(used),
        commit=machine.commit(), seconds=options.seconds,
    )  # fmt: skip


def measure_export(options: argparse.Namespace, progress: Progress) -> Report:
    """The numbers of model_export; `bench.export.measure(rounds, patterns, progress)` takes them."""
    return export.measure(options.rounds, options.only, progress)


def _chosen(patterns: Sequence[str]) -> tuple[Case, ...]:
    chosen = cases.select(cases.SERVING, patterns)
    if not chosen:
        names = ", ".join(case.name for case in cases.SERVING)
        raise BenchError(f"expected --only to name a case, got {', '.join(patterns)}; there are {names}")
    return chosen


def _trials(chosen: Sequence[Case]) -> list[Trial]:
    wanted = {name for case in chosen for name in case.trials}
    return [trial for trial in ALL if trial.name in wanted]


def _at_least_one(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
