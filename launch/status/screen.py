"""The report on one screen, drawn with rich; on a terminal without colours the words alone say everything."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table

from launch.status.report import Autoscaler, Cluster, Model, Pod, Problem, Report


def draw(report: Report, console: Console) -> None:
    """Print the report."""
    console.print(Group(*_parts(report)))


def _parts(report: Report) -> Iterator[RenderableType]:
    yield _head(report)
    if report.models:
        yield _models(report.models)
    if report.pods:
        yield _pods(report.pods)
    if report.autoscalers:
        yield _autoscalers(report.autoscalers)
    if report.problems:
        yield _problems("What is wrong, and what to do", report.problems)
    if report.recent_warnings:
        yield _problems("Latest warnings of the cluster", report.recent_warnings)
    if report.is_well:
        yield "[green]All is well.[/]"


def _head(report: Report) -> str:
    namespace = f", namespace [bold]{escape(report.namespace)}[/]" if report.namespace else ""
    return f"Stack [bold]{escape(report.stack)}[/]{namespace}; {_cluster(report.cluster)}"


def _cluster(cluster: Cluster) -> str:
    words = f"cluster [bold]{escape(cluster.context)}[/] is {cluster.state}"
    return words if cluster.state == "running" else f"[red]{words}[/]: {escape(cluster.todo)}"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, header_style="dim", overflow="fold")
    return table


def _models(models: tuple[Model, ...]) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for model in models:
        colour = "green" if model.ready_pods == model.wanted_pods > 0 else "red"
        pods = f"[{colour}]{model.ready_pods} of {model.wanted_pods} pods ready[/]"
        table.add_row("[bold]model[/]", f"[bold]{escape(model.name)}[/] version {model.version}, {pods}")
        for name, value in _facts(model).items():
            table.add_row(name, escape(value))
    return table


def _facts(model: Model) -> dict[str, str]:
    return {
        "digest": model.digest,
        "image": model.image,
        "accuracy": "not measured" if model.accuracy is None else f"{model.accuracy:.4f}",
        "REST": f"{model.rest_url}/v1/models/{model.name}:predict",
        "gRPC": model.grpc_target,
    }


def _pods(pods: tuple[Pod, ...]) -> Table:
    table = _table("Pods", "pod", "version", "state", "restarts")
    for pod in pods:
        state = "[green]ready[/]" if pod.is_ready else f"[red]{escape(pod.phase)}, not ready[/]"
        if pod.phase == "Terminating":
            state = "[dim]Terminating[/]"
        table.add_row(escape(pod.name), pod.version, state, str(pod.restarts))
    return table


def _autoscalers(scalers: tuple[Autoscaler, ...]) -> Table:
    table = _table("Autoscaling", "name", "pods now", "wanted", "between", "figures")
    for each in scalers:
        between = f"{each.min_pods} and {each.max_pods}"
        figures = escape("\n".join(each.metrics))
        table.add_row(escape(each.name), str(each.pods), str(each.wanted_pods), between, figures)
    return table


def _problems(title: str, problems: tuple[Problem, ...]) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(overflow="fold")
    table.add_row(f"[bold]{title}[/]")
    for each in problems:
        table.add_row(f"[red]{escape(each.where)}[/]: {escape(each.what)}")
        table.add_row(f"  [bold]do:[/] {escape(each.todo)}")
    return table
