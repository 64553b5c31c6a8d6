"""The exporter's numbers in the documentation, between marks of their own."""

from collections.abc import Mapping

from bench import report
from bench.document import PAGE, replace_between, table
from bench.figures import readable
from bench.report import Report

BEGIN, END = "<!-- export: begin -->", "<!-- export: end -->"
COLUMNS: Mapping[str, str] = {
    "load_unfrozen_seconds": "load, variables",
    "load_frozen_seconds": "frozen",
    "cold_load_unfrozen_seconds": "cold, variables",
    "cold_load_frozen_seconds": "cold, frozen",
    "first_unfrozen_seconds": "load + answer, variables",
    "first_frozen_seconds": "frozen",
    "first_optimized_seconds": "optimised",
    "cold_first_unfrozen_seconds": "cold, variables",
    "cold_first_optimized_seconds": "cold, optimised",
}
COMMANDS: Mapping[str, str] = {
    "import_seconds": "import of TensorFlow",
    "command_seconds": "whole export",
    "tensorflow_load_seconds": "TensorFlow's load",
    "freeze_seconds": "freezing",
    "bytes": "bytes",
    "keras_bytes": "bytes of Keras' export",
    "extra_bytes": "peak bytes over the import",
    "served_bytes": "the same of TensorFlow's own load as served",
    "contract_seconds": "contract",
}


def write(result: Report, command: str) -> None:
    """Replace the exporter's numbers in the page."""
    PAGE.write_text(replace_between(PAGE.read_text(), numbers(result, command), begin=BEGIN, end=END))


def numbers(result: Report, command: str) -> str:
    """The tables, as Markdown."""
    machine = result.machine
    lines = [
        (
            f"`{command}`, {len(result.log.rounds)} rounds, commit {result.commit}, on {machine['processor']} "
            f"({machine['cores']} cores, Linux {machine['kernel']}, Python {machine['python']}), load average "
            f"{machine['load_average']:.1f} beside it."
        ),
        "",
        *table(report.HEAD, report.rows(result.verdicts)),
        "",
        "CPU milliseconds through the C library, medians over the rounds:",
        "",
        *_medians(result, COLUMNS, 1000.0),
        "",
        "CPU seconds of whole commands and passes, and bytes:",
        "",
        *_medians(result, COMMANDS, 1.0),
    ]
    return "\n".join(lines)


def _medians(result: Report, columns: Mapping[str, str], factor: float) -> list[str]:
    lines = [
        (model, *(readable(figures[name] * factor) if name in figures else "" for name in columns))
        for model, figures in result.medians().items()
    ]
    return table(("model", *columns.values()), lines)
