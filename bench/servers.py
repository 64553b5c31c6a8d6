"""Who is measured: how each server is started, and the doors it has.

Ours is `python -m serving` as a user starts it, with the settings that the case is about and no others.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.doors import GrpcDoor, RestDoor
from bench.models import Models
from bench.processes import Launch
from serving import settings
from toolchain.folders import CHECKOUT

UPSTREAM_FLAGS = ("upstream_rest", "upstream_grpc")
"""What `python -m serving` will call the addresses of a server behind it."""
PEERS = CHECKOUT / "bench" / "peers"
NGINX_CONF = CHECKOUT / "bench" / "nginx.conf"


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Of one server; most use one or two."""

    rest: int
    grpc: int
    metrics: int


@dataclass(frozen=True, kw_only=True)
class Site:
    """What a start line is made from."""

    python: Path
    folder: Path
    """Scratch folder of this server in this round."""
    models: Models
    ports: Ports
    upstream: Ports | None = None


@dataclass(frozen=True, kw_only=True)
class Server:
    """One way to serve a model."""

    name: str
    environment: str
    """The lock it is installed from; "" for the environment of the bench itself."""
    launch: Callable[[Site], Launch]
    rest: RestDoor | None = None
    grpc: GrpcDoor | None = None
    upstream: "Server | None" = None
    needs: tuple[str, ...] = ()
    """Settings of `python -m serving` without which there is nothing to measure."""

    def missing_settings(self) -> list[str]:
        known = {definition.name for definition in settings.fields()}
        return [name for name in self.needs if name not in known]


def ours(name: str, *flags: str, model: str = "mnist", environment: str = "") -> Server:
    """`python -m serving` with further flags."""

    def launch(site: Site) -> Launch:
        words: list[str | Path] = [
            site.python, "-m", "serving", "--listen_address=127.0.0.1", f"--port={site.ports.grpc}",
            f"--rest_api_port={site.ports.rest}", f"--model_name={model}",
            f"--model_base_path={site.models.base_path(model)}", "--log_level=warning", *_known_flags(), *flags,
        ]  # fmt: skip
        return Launch(command=words, env={"PYTHONPATH": str(CHECKOUT)}, folder=site.folder)

    return Server(
        name=name,
        environment=environment,
        launch=launch,
        rest=RestDoor(path=f"/v1/models/{model}:predict", model=model),
        grpc=GrpcDoor(model=model),
    )


def _known_flags() -> tuple[str, ...]:
    """The transport that the figures are about, where it can be chosen."""
    return (
        ("--grpc_transport=http2",) if "grpc_transport" in {each.name for each in settings.fields()} else ()
    )


def peer(
    name: str,
    environment: str,
    words: Callable[[Site], list[str | Path]],
    *,
    rest: RestDoor | None = None,
    grpc: GrpcDoor | None = None,
    upstream: Server | None = None,
) -> Server:
    """A program of `bench/peers`, told where to listen and what to serve."""

    def launch(site: Site) -> Launch:
        port = site.ports.rest if rest else site.ports.grpc
        env = {
            "PYTHONPATH": str(PEERS),
            "PATH": f"{site.python.parent}:/usr/bin:/bin",
            "PORT": str(port),
            "MODEL_FOLDER": str(site.models.version_folder("mnist")),
            "CUDA_VISIBLE_DEVICES": "-1",
            "BENTOML_HOME": str(site.folder / "bentoml"),
            "BENTOML_DO_NOT_TRACK": "True",
            # In its own process: a second one costs more, and in 1.7.1 it dies of uvloop 0.22's missing event loop.
            "MLSERVER_PARALLEL_WORKERS": "0",
            "MLSERVER_DEBUG": "false",
            "MLSERVER_HTTP_PORT": str(site.ports.rest),
            "MLSERVER_GRPC_PORT": str(site.ports.grpc),
            "MLSERVER_METRICS_PORT": str(site.ports.metrics),
        }
        if site.upstream:
            env["UPSTREAM_REST"] = f"http://127.0.0.1:{site.upstream.rest}"
            env["UPSTREAM_GRPC"] = f"127.0.0.1:{site.upstream.grpc}"
        return Launch(command=words(site), env=env, folder=site.folder)

    return Server(name=name, environment=environment, launch=launch, rest=rest, grpc=grpc, upstream=upstream)


def _uvicorn(app: str) -> Callable[[Site], list[str | Path]]:
    return lambda site: [
        site.python, "-m", "uvicorn", app, "--host=127.0.0.1", f"--port={site.ports.rest}", "--no-access-log",
        "--log-level=warning",
    ]  # fmt: skip


def _program(file: str) -> Callable[[Site], list[str | Path]]:
    return lambda site: [site.python, PEERS / file]


def _mlserver(site: Site) -> list[str | Path]:
    site.folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(PEERS / "mlserver_settings.json", site.folder / "model-settings.json")
    return [site.python.with_name("mlserver"), "start", site.folder]


def _nginx(site: Site) -> Launch:
    site.folder.mkdir(parents=True, exist_ok=True)
    configuration = site.folder / "nginx.conf"
    configuration.write_text(NGINX_CONF.read_text().replace("PORT;", f"{site.ports.rest};"))
    return Launch(command=["/usr/sbin/nginx", "-p", site.folder, "-c", configuration], folder=site.folder)


def _pass_through(site: Site) -> Launch:
    assert site.upstream is not None
    rest, grpc = UPSTREAM_FLAGS
    words: list[str | Path] = [
        site.python, "-m", "serving", "--listen_address=127.0.0.1", f"--port={site.ports.grpc}",
        f"--rest_api_port={site.ports.rest}", "--model_name=mnist", "--log_level=warning",
        f"--{rest}=127.0.0.1:{site.upstream.rest}", f"--{grpc}=127.0.0.1:{site.upstream.grpc}", *_known_flags(),
    ]  # fmt: skip
    return Launch(command=words, env={"PYTHONPATH": str(CHECKOUT)}, folder=site.folder)


# Off, so that every answer is computed: with 512 bodies in turn the cache would hold all of them.
OURS_UNCACHED = ours("ours", "--output_cache_bytes=0")
OURS_CACHED = ours("ours-cached")
OURS_CNN = ours("ours-cnn", "--output_cache_bytes=0", model="cnn")
OURS_FIFO = ours("ours-fifo", "--output_cache_bytes=0", "--queue_policy=fifo", model="cnn")
OURS_HEAP = ours("ours-heap", "--output_cache_bytes=0", "--queue_policy=shortest_first", model="cnn")
OURS_CONTAINER = ours("ours-container", environment="runtime")

FASTAPI = peer("fastapi", "bench-fastapi", _uvicorn("fastapi_server:app"), rest=RestDoor())
MLSERVER = peer(
    "mlserver", "bench-mlserver", _mlserver, rest=RestDoor(path="/v2/models/mnist/infer", bodies="v2")
)
LITSERVE = peer("litserve", "bench-litserve", _program("litserve_server.py"), rest=RestDoor(path="/predict"))
BENTOML = peer(
    "bentoml",
    "bench-bentoml",
    lambda site: [
        site.python, "-m", "bentoml", "serve", "bentoml_server:Mnist", f"--working-dir={PEERS}", "--host=127.0.0.1",
        f"--port={site.ports.rest}",
    ],
    rest=RestDoor(path="/predict"),
)  # fmt: skip
NGINX = Server(name="nginx", environment="", launch=_nginx, rest=RestDoor(is_constant=True))
GRPC_AIO = peer("grpc-aio", "bench-grpc", _program("grpc_aio_server.py"), grpc=GrpcDoor())
GRPC_SYNC = peer("grpc-sync", "bench-grpc", _program("grpc_sync_server.py"), grpc=GrpcDoor())
PROXY_FASTAPI = peer(
    "fastapi-httpx", "bench-fastapi", _uvicorn("fastapi_proxy:app"), rest=RestDoor(), upstream=OURS_CACHED
)
PROXY_AIO = peer(
    "grpc-aio-proxy", "bench-grpc", _program("grpc_aio_proxy.py"), grpc=GrpcDoor(), upstream=OURS_CACHED
)
PROXY_OURS = Server(
    name="ours-upstream",
    environment="",
    launch=_pass_through,
    rest=RestDoor(),
    grpc=GrpcDoor(),
    upstream=OURS_CACHED,
    needs=UPSTREAM_FLAGS,
)
