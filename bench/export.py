"""`bin/bench export`: freezing and exporting beside TensorFlow and Keras, judged by ratios within each round.

Seconds are CPU time (docs/adr/0040). What is compared is what a user would do instead: serve the SavedModel with variables, let
Keras export, import TensorFlow and stop there.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench import machine, verdicts
from bench.cases import Case, select
from bench.errors import BenchError
from bench.export_commands import run_measured
from bench.export_models import NAMES, ExportModels, export_words, prepare, run
from bench.figures import Figures, Gate, Reading
from bench.report import Report
from bench.rounds import Log
from toolchain import folders
from toolchain.progress import Progress

_TITLES = {
    "mnist": "MNIST softmax",
    "cnn": "MNIST CNN",
    "efficientnet": "EfficientNet-Lite0",
    "inception": "Inception-v3",
}
_FROM_KERAS = ("cnn", "inception")
_LARGE = ("efficientnet", "inception")


def cases() -> tuple[Case, ...]:
    """The gates of the exporter: one line a model, and the whole command."""
    return (
        *(_case(f"load_{each}", f"{_TITLES[each]}: load with variables over frozen", each, "load_unfrozen_seconds", "load_frozen_seconds", 3, 5)
          for each in NAMES),
        *(_case(f"first_{each}", f"{_TITLES[each]}: load and first answer, with variables over optimised", each,
                "first_unfrozen_seconds", "first_optimized_seconds", 4, 5) for each in NAMES),
        *(_case(f"freeze_{each}", f"{_TITLES[each]}: freezing over TensorFlow's load", each, "freeze_seconds", "tensorflow_load_seconds", 0.3, 0.2)
          for each in NAMES),
        *(_case(f"bytes_{each}", f"{_TITLES[each]}: our bytes over Keras' export", each, "bytes", "keras_bytes", 0.51, 0.5)
          for each in _FROM_KERAS),
        *(_case(f"memory_{each}", f"{_TITLES[each]}: peak memory of export over importing TensorFlow, by the model's bytes", each,
                "extra_bytes", "bytes", 6, 5) for each in _LARGE),
        _case("command", "the whole MNIST export over importing TensorFlow", "mnist", "command_seconds", "import_seconds", 1.7, 1.5),
        Case(
            name="contract",
            title="reading the contract of Inception-v3, 96 MB, CPU seconds",
            above=Reading(trial="inception", figure="contract_seconds"),
            gate=Gate(gate=0.5, goal=0.3, better="lower"),
        ),
    )  # fmt: skip


def measure(rounds: int, patterns: Sequence[str], progress: Progress) -> Report:
    """Measure what the chosen cases need, `rounds` times. Raises BenchError when nothing can be measured."""
    chosen = select(cases(), patterns)
    if not chosen:
        raise BenchError(
            f"expected --only to name a case, got {', '.join(patterns)}; there are {', '.join(each.name for each in cases())}"
        )
    facts = machine.describe()
    models = prepare(folders.locate(), progress)
    wanted = [each for each in NAMES if any(each in case.trials for case in chosen)]
    log = Log()
    for number in range(rounds):
        figures: dict[str, Figures] = {}
        for model in wanted if number % 2 == 0 else reversed(wanted):
            _measure_into(
                figures, log.failures, models, model, f"round {number + 1} of {rounds}: {model}", progress
            )
        log.rounds.append(figures)
    return Report(
        verdicts=verdicts.judge(chosen, log), log=log, machine=facts, versions=machine.versions(["export"]),
        commit=machine.commit(), seconds=0,
    )  # fmt: skip


def _case(name: str, title: str, model: str, above: str, below: str, gate: float, goal: float) -> Case:
    better = Gate(gate=gate, goal=goal, better="higher" if goal > gate else "lower")
    readings = {"above": Reading(trial=model, figure=above), "below": Reading(trial=model, figure=below)}
    return Case(name=name, title=title, gate=better, **readings)


def _measure_into(
    figures: dict[str, Figures], failures: dict[str, str], models: ExportModels, model: str, title: str, progress: Progress
) -> None:  # fmt: skip
    try:
        with progress.step(title) as step:
            figures[model] = _measure(models, model)
            step.note = ", ".join(f"{name} {value:.3g}" for name, value in figures[model].items())
    except BenchError as error:
        failures[model] = str(error)
        progress.say(f"  {model}: {error}")


def _measure(models: ExportModels, model: str) -> Figures:
    kinds = models.unfrozen(model), models.servable(model, "frozen"), models.servable(model, "optimized")
    passes = _probe("bench.export_probes", "freeze", str(models.unfrozen(model)))
    figures = {
        **_probe("bench.export_loads", *map(str, kinds)),
        "tensorflow_load_seconds": passes["load_seconds"],
        "freeze_seconds": passes["freeze_seconds"],
        **_probe("bench.export_probes", "contract", str(models.servable(model, "frozen"))),
        "bytes": float((models.servable(model, "frozen") / "saved_model.pb").stat().st_size),
    }
    if model in _FROM_KERAS:
        unfrozen = (each for each in models.unfrozen(model).rglob("*") if each.is_file())
        figures["keras_bytes"] = float(sum(each.stat().st_size for each in unfrozen))
    return {**figures, **_command(models, model)}


def _command(models: ExportModels, model: str) -> Figures:
    """The whole command beside a bare import."""
    bare = run_measured([sys.executable, "-m", "bench.export_probes", "import"])
    served = run_measured(
        [sys.executable, "-m", "bench.export_probes", "served", str(models.servable(model, "frozen"))]
    )
    with tempfile.TemporaryDirectory(prefix="bench-export-") as base_path:
        whole = run_measured(export_words(models.source(model), model, Path(base_path) / model))
    return {
        "command_seconds": whole.cpu_seconds,
        "import_seconds": bare.cpu_seconds,
        "extra_bytes": whole.peak_bytes - bare.peak_bytes,
        "served_bytes": served.peak_bytes - bare.peak_bytes,
    }


def _probe(module: str, *words: str) -> dict[str, float]:
    lines = run([sys.executable, "-m", module, *words]).splitlines()
    found: dict[str, float] = json.loads(lines[-1])
    return found
