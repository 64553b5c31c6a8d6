"""Puts the parts together, and says what its life (`serving.life`) is made of: open doors, load, serve, drain, close.

The doors open before models load, so that /livez and /readyz can be asked meanwhile. While DRAINING, /readyz
says no but requests are answered: load balancers hear of the change later than we do.
"""

import logging
import time
from pathlib import Path

from serving.backend import Loader, Session, load_session
from serving.doors import Doors, Routes
from serving.entrances import Entrances
from serving.grpc import methods
from serving.grpc.warmup import replay
from serving.http1.messages import QuickHandler
from serving.life import live, settle_memory
from serving.metrics import Metrics
from serving.monitoring import Readiness, probe_routes
from serving.pipeline import Pipeline
from serving.remote_inputs import FetchingHandler, parse_prefixes
from serving.repository import (
    Reconciler,
    Repository,
    Servable,
    ServableLoader,
    State,
    VersionStatus,
    make_vouch,
    read_sources,
)
from serving.rest import RestApi
from serving.settings import ServingSettings
from serving.text_protos import apply_batching
from serving.watcher import Watcher

log = logging.getLogger(__name__)


class Server:
    """One server process. `run` it, or `start` and `close` it."""

    def __init__(self, settings: ServingSettings, *, load: Loader | None = None) -> None:
        settings, warnings = apply_batching(settings)
        for warning in warnings:
            log.warning("%s: %s", settings.batching_parameters_file, warning)
        self.settings = settings
        self.metrics = Metrics()
        self.repository = Repository(self.metrics)
        self.readiness = Readiness(repository=self.repository)
        self._pipeline = Pipeline(settings, self.metrics)
        self._reconciler = Reconciler(
            self.repository,
            _servable_loader(settings, load),
            on_withdrawn=self._pipeline.forget,
            allows_labels_ahead=settings.allow_version_labels_for_unavailable_models,
        )
        self._watcher = Watcher(settings, self._reconciler, self.metrics)
        self._entrances = Entrances(settings, self.metrics, lambda: self.repository.names)
        self._doors = Doors(settings, self._entrances)

    async def start(self) -> None:
        """Open the doors and load the models.

        Raises SettingsError when no model is named, OSError when a port is taken, ModelError when a model cannot
        be loaded and nobody watches for a better one.
        """
        started = time.perf_counter()
        sources = read_sources(self.settings)
        self._entrances.start()
        await self._open_http()
        await self._open_grpc()
        await self._watcher.start(sources)
        settle_memory()
        log.info("serving %s after %.2f s", ", ".join(self.repository.names), time.perf_counter() - started)

    @property
    def rest_port(self) -> int:
        """The bound port, also when the system chose it."""
        return self._doors.rest_port

    @property
    def grpc_port(self) -> int:
        """The bound port, also when the system chose it; 0 for none."""
        return self._doors.grpc_port

    async def run(self) -> None:
        """Start, serve until SIGTERM or SIGINT, drain and close. A second signal ends the drain at once.

        Raises what `start` raises.
        """
        await live(self, drain_seconds=self.settings.drain_seconds)

    def start_draining(self) -> None:
        """Say no at /readyz and close connections after their answers; go on answering."""
        self.readiness.is_draining = True
        self._doors.start_draining()

    async def close(self) -> None:
        """Accept nothing new, finish what is running within the grace, give everything back."""
        grace = self.settings.shutdown_grace_seconds
        log.info("closing: requests that are running have %.1f s to finish", grace)
        await self._doors.close(grace_seconds=grace)
        await self._watcher.close()
        await self._entrances.close()
        self._pipeline.close()
        self._reconciler.close()
        log.info("closed")

    async def _open_http(self) -> None:
        settings = self.settings
        routes = await self._doors.open_monitoring(probe_routes(self.readiness, self.metrics, self._report))
        if settings.rest_api_port:
            await self._doors.open_rest(self._fetch_first(self._make_api(routes)))
        if settings.console_port:
            from serving.console import open_site  # nobody else need load the page

            api = self._make_api({})
            site = open_site(settings, api.handle, self._pipeline, self.metrics, self.readiness)
            await self._doors.open_console(site.handle, page=site.page, state=site.state)

    def _make_api(self, routes: Routes) -> RestApi:
        return RestApi(
            self.repository,
            self._pipeline,
            self.metrics,
            timeout_seconds=self.settings.rest_api_timeout_in_ms / 1000,
            routes=routes,
            is_ready=self._is_ready,
        )

    def _fetch_first(self, api: RestApi) -> QuickHandler:
        """The API, behind what fetches the inputs that a body only names, if there are places to fetch from."""
        settings = self.settings
        prefixes = parse_prefixes(settings.remote_input_prefixes)
        if not prefixes:
            return api.answer
        return FetchingHandler(
            api.answer,
            api.handle,
            prefixes,
            timeout_seconds=settings.rest_api_timeout_in_ms / 1000,
            limit_bytes=settings.max_request_bytes,
        )

    def _is_ready(self) -> bool:
        return not self.readiness.obstacles()

    def _report(self) -> dict[str, object]:
        models = {
            name: [
                {"version": status.version, "state": status.state.name, "error": status.error}
                | self._report_version(name, status)
                for status in self.repository.all_statuses(name)
            ]
            for name in self.repository.names
        }
        return {"obstacles": self.readiness.obstacles(), "models": models}

    def _report_version(self, name: str, status: VersionStatus) -> dict[str, object]:
        if status.state is not State.AVAILABLE:
            return {}
        return self._pipeline.report(self.repository.resolve(name, status.version))

    async def _open_grpc(self) -> None:
        table = methods(
            self.repository,
            self._pipeline,
            self.metrics,
            self.settings,
            is_ready=self._is_ready,
            replace=self._watcher.replace if self.settings.enable_config_reload else None,
        )
        await self._doors.open_grpc(table, is_ready=self._is_ready)


def _servable_loader(settings: ServingSettings, load: Loader | None) -> ServableLoader:
    def load_with_settings(folder: Path) -> Session:
        return load_session(folder, settings)

    def warm_up(servable: Servable, folder: Path) -> int:
        return replay(servable, folder, iterations=settings.num_request_iterations_for_warmup)

    return ServableLoader(
        load=load or load_with_settings,
        warm_up=warm_up if settings.enable_model_warmup else None,
        tries_out=settings.enable_model_warmup,
        retries=settings.max_num_load_retries,
        retry_seconds=settings.load_retry_interval_micros / 1e6,
        keeps_inputs=settings.input_cache_bytes > 0,
        takes_other_shapes=not settings.enable_input_shape_check,
        vouch=make_vouch(settings.model_signature_keys),
    )
