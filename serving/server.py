"""Puts the parts together, and says what its life (`serving.life`) is made of: open doors, load, serve, drain, close.

The doors open before models load, so that /livez and /readyz can be asked meanwhile. While DRAINING, /readyz
says no but requests are answered: load balancers hear of the change later than we do.
"""

import asyncio
import logging
import ssl
import time
from pathlib import Path
from typing import TYPE_CHECKING

from serving.backend import Loader, Session, load_session
from serving.doors import http_limits, make_grpc_server
from serving.entrances import Entrances
from serving.grpc import methods
from serving.grpc.framed import FramedServer
from serving.grpc.warmup import replay
from serving.http1 import HttpServer
from serving.http1.messages import QuickHandler
from serving.life import live, settle_memory
from serving.metrics import Metrics
from serving.monitoring import FOR_OPERATORS, Readiness, probe_handler, probe_routes
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
from serving.rest.errors import refusal
from serving.settings import ServingSettings
from serving.text_protos import apply_batching
from serving.tls import server_context
from serving.watcher import Watcher

if TYPE_CHECKING:
    from serving.grpc.aio import GrpcServer

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
        self._http: dict[str, HttpServer] = {}
        self._grpc: FramedServer | GrpcServer | None = None
        self.grpc_port = 0

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
        return self._http["rest"].port

    async def run(self) -> None:
        """Start, serve until SIGTERM or SIGINT, drain and close. A second signal ends the drain at once.

        Raises what `start` raises.
        """
        await live(self, drain_seconds=self.settings.drain_seconds)

    def start_draining(self) -> None:
        """Say no at /readyz and close connections after their answers; go on answering."""
        self.readiness.is_draining = True
        for server in self._http.values():
            server.start_draining()

    async def close(self) -> None:
        """Accept nothing new, finish what is running within the grace, give everything back."""
        grace = self.settings.shutdown_grace_seconds
        log.info("closing: requests that are running have %.1f s to finish", grace)
        doors = [server.close(grace_seconds=grace) for server in self._http.values()]
        if self._grpc is not None:
            doors.append(self._grpc.close(grace_seconds=grace))
        await asyncio.gather(*doors)
        await self._watcher.close()
        await self._entrances.close()
        self._pipeline.close()
        self._reconciler.close()
        log.info("closed")

    async def _open_http(self) -> None:
        settings, routes = self.settings, probe_routes(self.readiness, self.metrics, self._report)
        if settings.monitoring_port:
            server = HttpServer(probe_handler(dict(routes)), http_limits(settings), refusal=refusal)
            await self._listen("monitoring", server, settings.monitoring_port)
            for path in FOR_OPERATORS:
                del routes[path]
        if settings.rest_api_port:
            api = RestApi(
                self.repository,
                self._pipeline,
                self.metrics,
                timeout_seconds=settings.rest_api_timeout_in_ms / 1000,
                routes=routes,
                is_ready=self._is_ready,
            )
            handler = self._fetch_first(api)
            greet, refuse = self._entrances.for_rest(handler, refusal)
            server = HttpServer(handler, http_limits(settings), refusal=refuse, greet=greet)
            await self._listen("rest", server, settings.rest_api_port, tls=self._rest_tls())
        if settings.console_port:
            await self._open_console()

    def _rest_tls(self) -> ssl.SSLContext | None:
        return server_context(self.settings.ssl_config_file) if self.settings.enable_rest_tls else None

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

    async def _open_console(self) -> None:
        from serving.console import open_site  # nobody else need load the page

        api = RestApi(
            self.repository,
            self._pipeline,
            self.metrics,
            timeout_seconds=self.settings.rest_api_timeout_in_ms / 1000,
            routes={},
        )
        site = open_site(self.settings, api.handle, self._pipeline, self.metrics, self.readiness)
        greet = self._entrances.for_console(site.handle, site.page, site.state)
        server = HttpServer(site.handle, http_limits(self.settings), refusal=refusal, greet=greet)
        await self._listen("console", server, self.settings.console_port, tls=self._rest_tls())

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

    async def _listen(
        self, name: str, server: HttpServer, port: int, *, tls: ssl.SSLContext | None = None
    ) -> None:
        await server.listen(self.settings.listen_address, port, tls=tls)
        self._http[name] = server
        log.info("listening for %s on %s:%d", name, self.settings.listen_address, port)

    async def _open_grpc(self) -> None:
        settings = self.settings
        if not settings.port and not settings.grpc_socket_path:
            return
        table = methods(
            self.repository,
            self._pipeline,
            self.metrics,
            settings,
            is_ready=self._is_ready,
            replace=self._watcher.replace if settings.enable_config_reload else None,
        )
        self._grpc = make_grpc_server(self._entrances.for_grpc(table), settings, is_ready=self._is_ready)
        if settings.port:
            self.grpc_port = await self._grpc.listen(settings.listen_address, settings.port)
            log.info("listening for gRPC on %s:%d", settings.listen_address, self.grpc_port)
        if settings.grpc_socket_path:
            await self._grpc.listen_on_socket(settings.grpc_socket_path)
            log.info("listening for gRPC on %s", settings.grpc_socket_path)
        await self._grpc.start()


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
        vouch=make_vouch(settings.model_signature_keys),
    )
