"""The page of the documentation: numbers and chart come from a run, the words around them are kept.

`docs/benchmarks.md` holds two marks; what stands between them is replaced, so that no number is ever typed by hand.
"""

from collections.abc import Mapping
from pathlib import Path

from bench import chart, report
from bench.figures import readable
from bench.report import Report
from bench.trials import ALL
from toolchain.folders import CHECKOUT

PAGE = CHECKOUT / "docs" / "benchmarks.md"
CHART = CHECKOUT / "docs" / "benchmarks.svg"
BEGIN, END = "<!-- numbers: begin -->", "<!-- numbers: end -->"
LABELS = {
    "rest": "ours, REST, computed", "rest_cached": "ours, REST, from the cache", "grpc": "ours, gRPC, computed",
    "proxy_rest": "ours, REST pass-through", "proxy_grpc": "ours, gRPC pass-through", "nginx": "nginx, a constant",
    "fastapi": "FastAPI", "mlserver": "MLServer, batching", "litserve": "LitServe, batching", "bentoml": "BentoML, batching",
    "grpc_aio": "grpc.aio", "grpc_sync": "grpc with threads", "proxy_fastapi": "FastAPI + httpx pass-through",
    "proxy_aio": "grpc.aio to grpc.aio pass-through",
}  # fmt: skip


def write(result: Report, command: str) -> None:
    """Replace the numbers in the page and draw the chart anew."""
    PAGE.write_text(replace_between(PAGE.read_text(), numbers(result, command)))
    CHART.write_text(draw(result))


def replace_between(page: str, text: str, *, begin: str = BEGIN, end: str = END) -> str:
    """The page with `text` between its marks. Raises ValueError when a mark is missing."""
    before, found_begin, rest = page.partition(begin)
    _old, found_end, after = rest.partition(end)
    if not found_begin or not found_end:
        raise ValueError(f"expected the marks {begin} and {end} in {Path(PAGE).name}, found them not")
    return f"{before}{begin}\n{text}\n{end}{after}"


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
        "Medians over the rounds:",
        "",
        *table(("trial", "CPU µs a request", "requests/s", "p50 ms", "p99 ms"), _measured(result)),
        "",
        "Versions: " + "; ".join(_versions(result.versions)) + ".",
    ]
    return "\n".join(lines)


def draw(result: Report) -> str:
    """CPU time of one request: ours and everybody else's, the cheapest first."""
    medians = result.medians()
    bars = [
        chart.Bar(label=LABELS[trial.name], value=medians[trial.name]["cpu_us"], is_ours=LABELS[trial.name].startswith("ours"))
        for trial in ALL
        if trial.name in LABELS and medians.get(trial.name, {}).get("cpu_us")
    ]  # fmt: skip
    return chart.draw(
        "Server CPU time of one request",
        "µs, logarithmic; less is better",
        sorted(bars, key=lambda bar: bar.value),
    )


def table(head: tuple[str, ...], lines: list[tuple[str, ...]]) -> list[str]:
    """The lines of a Markdown table."""
    return ["| " + " | ".join(cells) + " |" for cells in (head, ("---",) * len(head), *lines)]


def _measured(result: Report) -> list[tuple[str, ...]]:
    figures = ("cpu_us", "per_second", "p50_ms", "p99_ms")
    return [
        (trial, *(_figure(values.get(name)) for name in figures))
        for trial, values in result.medians().items()
        if "cpu_us" in values
    ]


def _figure(value: float | None) -> str:
    """Nothing for what this load does not measure."""
    return readable(value) if value else ""


def _versions(versions: Mapping[str, str]) -> list[str]:
    """`environment: package version, …` of each environment; what has no environment stands alone."""
    grouped: dict[str, list[str]] = {}
    for name, version in versions.items():
        environment, _, package = name.partition(" ")
        grouped.setdefault(environment, []).append(f"{package} {version}".strip())
    return [f"{environment} {', '.join(packages)}" for environment, packages in grouped.items()]
