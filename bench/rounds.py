"""The rounds: in each of them every server is started, asked and ended once, one after another.

Odd rounds go through the servers backwards, so that a machine that grows slower favours nobody. What fails is noted
and does not end the run: its cases are reported as not held, with the reason.
"""

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.environments import Environments
from bench.errors import BenchError, MissingTool
from bench.figures import Figures, Round
from bench.models import Models
from bench.processes import Cores, Running, free_ports, running
from bench.servers import Ports, Server, Site
from bench.trials import Stage, Trial, Workshop
from toolchain.progress import Progress


@dataclass(kw_only=True)
class Log:
    """What a run brought."""

    rounds: list[Round] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    """Why a trial has no figures, by trial; the last reason."""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """The place where rounds happen."""

    environments: Environments
    models: Models
    cores: Cores
    seconds: int
    progress: Progress

    def run(self, trials: Sequence[Trial], rounds: int) -> Log:
        """Measure every trial in every round."""
        log = Log()
        groups = group_by_server(trials)
        for number in range(rounds):
            figures: dict[str, Figures] = {}
            shared: dict[str, float] = {}
            for group in groups if number % 2 == 0 else reversed(groups):
                self._visit(group, f"round {number + 1} of {rounds}", figures, log.failures, shared)
            log.rounds.append(figures)
        return log

    def _visit(
        self, group: Sequence[Trial], title: str, figures: dict[str, Figures], failures: dict[str, str],
        shared: dict[str, float],
    ) -> None:  # fmt: skip
        names = ", ".join(trial.name for trial in group)
        try:
            with self.progress.step(f"{title}: {names}") as step:
                for trial, measured in self._measure(group, shared):
                    figures[trial.name] = measured
                    step.note = f"{trial.name} {_brief(measured)}"
        except BenchError as error:
            for trial in group:
                if trial.name not in figures:
                    failures[trial.name] = str(error)
            self.progress.say(f"  {names}: {error}")

    def _measure(self, group: Sequence[Trial], shared: dict[str, float]) -> Iterator[tuple[Trial, Figures]]:
        server = group[0].server
        if server is None:
            workshop = Workshop(
                environments=self.environments, models=self.models, cores=self.cores, seconds=self.seconds
            )
            for trial in group:
                assert trial.calculation is not None
                yield trial, trial.calculation(workshop)
            return
        with (
            tempfile.TemporaryDirectory(prefix="bench-") as folder,
            self._serving(server, Path(folder)) as (
                process,
                ports,
            ),
        ):
            stage = Stage(
                server=server, running=process, ports=ports, models=self.models, cores=self.cores, seconds=self.seconds,
                shared=shared,
            )  # fmt: skip
            for trial in group:
                assert trial.load is not None
                yield trial, trial.load(stage)

    @contextlib.contextmanager
    def _serving(self, server: Server, folder: Path) -> Iterator[tuple[Running, Ports]]:
        """The server on its core, and what is behind it on the clients' core."""
        if missing := server.missing_settings():
            raise MissingTool(f"`python -m serving` has no setting {', '.join(missing)} yet")
        with contextlib.ExitStack() as stack:
            upstream = None
            if server.upstream:
                upstream = stack.enter_context(
                    self._started(server.upstream, folder, None, self.cores.client)
                )[1]
            yield stack.enter_context(self._started(server, folder, upstream, self.cores.server))

    @contextlib.contextmanager
    def _started(
        self, server: Server, folder: Path, upstream: Ports | None, core: int
    ) -> Iterator[tuple[Running, Ports]]:
        rest, grpc, metrics = free_ports(3)
        ports = Ports(rest=rest, grpc=grpc, metrics=metrics)
        site = Site(
            python=self.environments.python(server.environment), folder=folder / server.name, models=self.models,
            ports=ports, upstream=upstream,
        )  # fmt: skip

        def is_right() -> bool:
            through_rest = server.rest is None or server.rest.is_right(rest, self.models)
            return through_rest and (server.grpc is None or server.grpc.is_right(grpc, self.models))

        with running(server.name, server.launch(site), core=core, is_right=is_right) as process:
            yield process, ports


def group_by_server(trials: Sequence[Trial]) -> list[list[Trial]]:
    """The trials that share a server together, so that it is started once a round; otherwise in their order."""
    groups: dict[str, list[Trial]] = {}
    for trial in trials:
        groups.setdefault(trial.server.name if trial.server else trial.name, []).append(trial)
    return list(groups.values())


def _brief(figures: Figures) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
