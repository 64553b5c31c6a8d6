"""The server that computes nothing itself: the same doors as `serving.server`, with an upstream behind them."""

import asyncio
import logging

from serving.doors import Doors
from serving.entrances import Entrances
from serving.grpc import Method
from serving.grpc.health import check_method
from serving.grpc.open_inference import server_methods
from serving.http2 import Limits, UnaryClient
from serving.life import live, settle_memory
from serving.metrics import Metrics
from serving.monitoring import Readiness, probe_routes
from serving.repository import read_sources
from serving.settings import ServingSettings
from serving.upstream.addresses import Address, parse_address
from serving.upstream.grpc import pass_methods
from serving.upstream.pool import Pool
from serving.upstream.rest import RestPassage
from serving.upstream.standing import Probe, Standing, grpc_probe, rest_probe

log = logging.getLogger(__name__)

_LARGEST_ANSWER_BYTES = 1 << 30


class UpstreamServer:
    """One server process in front of another. Belongs to the event loop that is running when it is made."""

    def __init__(self, settings: ServingSettings) -> None:
        """Raises SettingsError for an address that is none."""
        self.settings = settings
        self.metrics = Metrics()
        self._names = _names(settings)
        self._rest_address = _address(settings.upstream_rest, "upstream_rest")
        grpc_address = _address(settings.upstream_grpc, "upstream_grpc")
        self._client = None if grpc_address is None else _client(grpc_address)
        self._pool = None
        if self._rest_address is not None:
            self._pool = Pool(self._rest_address, max_response_bytes=_LARGEST_ANSWER_BYTES)
        self._standing = Standing(self._names, self._probes())
        self.readiness = Readiness(repository=self._standing)
        self._entrances = Entrances(settings, self.metrics, lambda: self._names)
        self._doors = Doors(settings, self._entrances)

    async def run(self) -> None:
        """Serve until a signal, then drain; see `serving.life`. Raises OSError when a port is taken."""
        await live(self, drain_seconds=self.settings.drain_seconds)

    async def start(self) -> None:
        """Open the doors, whether or not the upstream is there yet: readiness says so."""
        self._entrances.start()
        await self._open_http()
        if self._client is not None:
            await self._open_grpc(self._client)
        await self._standing.start()
        settle_memory()
        log.info("passing on %s", ", ".join(self._names))

    @property
    def rest_port(self) -> int:
        """The bound port, also when the system chose it."""
        return self._doors.rest_port

    @property
    def grpc_port(self) -> int:
        """The bound port, also when the system chose it; 0 for none."""
        return self._doors.grpc_port

    def start_draining(self) -> None:
        """Say no at /readyz and close connections after their answers; go on answering."""
        self.readiness.is_draining = True
        self._doors.start_draining()

    async def close(self) -> None:
        """Accept nothing new, finish what is under way within the grace, then leave the upstream."""
        await self._doors.close(grace_seconds=self.settings.shutdown_grace_seconds)
        await self._standing.close()
        if self._pool is not None:
            await self._pool.close()
        if self._client is not None:
            await self._client.close()
        await self._entrances.close()

    async def _open_http(self) -> None:
        settings = self.settings
        routes = await self._doors.open_monitoring(probe_routes(self.readiness, self.metrics, self._report))
        if settings.rest_api_port:
            passage = RestPassage(
                self._pool,
                self._rest_address,
                self.metrics,
                timeout_seconds=settings.rest_api_timeout_in_ms / 1000,
                routes=routes,
                names=self._names,
                clock=asyncio.get_running_loop().time,
            )
            await self._doors.open_rest(passage.handle)

    async def _open_grpc(self, client: UnaryClient) -> None:
        table: dict[str, Method] = {
            **pass_methods(client, self.metrics, may_reload=self.settings.enable_config_reload),
            "/grpc.health.v1.Health/Check": check_method(self._is_ready),
            **server_methods(self._is_ready),
        }
        await self._doors.open_grpc(table, is_ready=self._is_ready)

    def _probes(self) -> list[Probe]:
        probes: list[Probe] = []
        if self._client is not None:
            probes.append(grpc_probe(self._client))
        if self._pool is not None:
            probes.append(rest_probe(self._pool, str(self._rest_address)))
        return probes

    def _is_ready(self) -> bool:
        return not self.readiness.obstacles()

    def _report(self) -> dict[str, object]:
        return {
            "obstacles": self.readiness.obstacles(),
            "upstream": {"rest": self.settings.upstream_rest, "grpc": self.settings.upstream_grpc},
        }


def _names(settings: ServingSettings) -> list[str]:
    if settings.model_config_file:
        return [source.name for source in read_sources(settings)]
    return [settings.model_name]


def _address(text: str, source: str) -> Address | None:
    return parse_address(text, source=source) if text else None


def _client(address: Address) -> UnaryClient:
    limits = Limits(max_message_bytes=_LARGEST_ANSWER_BYTES, receive_budget_bytes=2 * _LARGEST_ANSWER_BYTES)
    return UnaryClient(host=address.host, port=address.port, path=address.path, limits=limits)
