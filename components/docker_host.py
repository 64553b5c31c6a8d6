"""DockerHost: the two linked containers on a plain Docker host: a model that answers as `serving`, and a client beside it.

The same image as in a cluster, held as tightly as there: nobody's user, a read-only root, no capabilities, memory bounded, ports published
on one address. What a cluster adds (probes that hold traffic back, rollouts without a gap, scaling) a single host does not have: a new
image stops the old container before it starts the new one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import pulumi
import pulumi_docker as docker

from components import health, naming, plan
from components.config import GpuConfig, ResourcesConfig
from components.errors import ConfigError, config_error
from serving.settings import ServingSettings

ALIAS: Final = "serving"
"""Host name of the server on the network: what clients are configured with, whatever the model is."""
_USER: Final = "65532:65532"
_MIB: Final = 2**20


@dataclass(frozen=True, kw_only=True)
class ClientArgs:
    """A container that asks the model, at `serving:8501` and `serving:8500`."""

    image: pulumi.Input[str]
    """Image by digest."""
    command: tuple[str, ...] = ()
    """Command; empty for the image's own."""
    variables: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Environment; holds no secrets, for `docker inspect` shows it."""


@dataclass(frozen=True, kw_only=True)
class DockerHostArgs:
    """One model on the host that the provider is connected to."""

    model: str
    """Name that clients ask for."""
    image: pulumi.Input[str]
    """Model image by digest, as `ModelImage` pushes it."""
    settings: ServingSettings
    """Settings of the API layer; the port of its health check and the times of its drain are added."""
    client: ClientArgs | None = None
    """A client beside it; None where clients come over the published ports only."""
    resources: ResourcesConfig = field(default_factory=ResourcesConfig)
    """Memory is a limit; CPU is a share in times of need."""
    gpu: GpuConfig = field(default_factory=GpuConfig)
    """GPUs of the host, by the NVIDIA container toolkit."""
    request_timeout_seconds: int = 30
    """Longest request; a stopping server has this long, and the drain, to answer."""
    rest_port: int = 8501
    """Port of REST on the host; 0 to publish none."""
    grpc_port: int = 8500
    """Port of gRPC on the host; 0 to publish none."""
    listen_address: str = "127.0.0.1"
    """Address of the host that ports are published on: no firewall rule holds Docker's published ports back."""

    def __post_init__(self) -> None:
        for key, port in (("rest_port", self.rest_port), ("grpc_port", self.grpc_port)):
            if port not in range(65_536):
                raise config_error(key, "a port, or 0 to publish none", port, "pass another number")
        if self.rest_port and self.rest_port == self.grpc_port:
            raise ConfigError(
                f"rest_port and grpc_port are both {self.rest_port}; give each its own, or 0 to publish none"
            )
        if self.gpu.device_class or self.gpu.resource != GpuConfig().resource:
            raise ConfigError(
                "a Docker host knows whole GPUs only; leave gpu.deviceClass and gpu.resource out"
            )


class DockerHost(pulumi.ComponentResource):
    """A network, the server, and the client where there is one."""

    network: pulumi.Output[str]
    """Name of the network; further containers join it and ask `serving`."""
    container: pulumi.Output[str]
    """Name of the server's container, for `docker logs`."""
    rest_url: pulumi.Output[str]
    """Where REST answers on the host; empty where it is not published."""
    grpc_target: pulumi.Output[str]
    """Where gRPC answers on the host; empty where it is not published."""

    def __init__(self, name: str, args: DockerHostArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tfserving:docker_host:DockerHost", name, None, opts)
        instance = naming.dns_label(args.model)
        child = pulumi.ResourceOptions(parent=self)
        network = docker.Network(f"{name}-network", name=instance, driver="bridge", opts=child)
        server = _server(f"{name}-server", instance, args, network.name, _replaced_in_place(self))
        if args.client:
            after = pulumi.ResourceOptions(parent=self, depends_on=[server], delete_before_replace=True)
            _client(f"{name}-client", instance, args.client, network.name, after)
        self.network, self.container = network.name, server.name
        self.rest_url = pulumi.Output.from_input(_address("http://", args, args.rest_port))
        self.grpc_target = pulumi.Output.from_input(_address("", args, args.grpc_port))
        self.register_outputs(
            {
                "network": self.network,
                "container": self.container,
                "rest_url": self.rest_url,
                "grpc_target": self.grpc_target,
            }
        )


def _server(
    name: str, instance: str, args: DockerHostArgs, network: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> docker.Container:
    return docker.Container(
        name,
        name=instance,
        image=args.image,
        envs=_environment(args),
        networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=network, aliases=[ALIAS])],
        ports=_ports(args),
        memory=args.resources.memory_mib,
        memory_swap=args.resources.memory_mib,  # as much as memory: no swap, a model that swaps answers in seconds
        cpu_shares=max(2, args.resources.cpu_millicores * 1024 // 1000),
        gpus="all" if args.gpu.count else None,
        healthcheck=_health(),
        stop_timeout=_grace_seconds(args),
        destroy_grace_seconds=_grace_seconds(args),
        restart="unless-stopped",
        wait=True,  # for the health check: `pulumi up` ends when the model answers
        wait_timeout=300,
        user=_USER,
        read_only=True,
        tmpfs={"/tmp": f"size={args.resources.scratch_mib * _MIB},mode=1777"},  # noqa: S108 - the container's own
        capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"]),
        security_opts=["no-new-privileges:true"],
        labels=_labels(instance),
        opts=opts,
    )


def _client(
    name: str, instance: str, client: ClientArgs, network: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> docker.Container:
    return docker.Container(
        name,
        name=f"{instance}-client",
        image=client.image,
        command=list(client.command) or None,
        envs=[
            pulumi.Output.format("{0}={1}", key, client.variables[key]) for key in sorted(client.variables)
        ],
        networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=network)],
        # A client that has asked its questions is done: it need not run on, and is not started again.
        must_run=False,
        restart="no",
        user=_USER,
        read_only=True,
        capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"]),
        security_opts=["no-new-privileges:true"],
        labels=_labels(f"{instance}-client"),
        opts=opts,
    )


def _environment(args: DockerHostArgs) -> list[str]:
    hidden = {} if args.gpu.count else {"NVIDIA_VISIBLE_DEVICES": "void"}
    variables = {"HOME": "/tmp", **hidden, **_settings(args).to_env()}  # noqa: S108
    return [f"{name}={variables[name]}" for name in sorted(variables)]


def _settings(args: DockerHostArgs) -> ServingSettings:
    """As in a cluster: a port for metrics and probes beside the clients' own, and times that follow from the longest request."""
    return replace(
        args.settings,
        monitoring_port=plan.MONITORING_PORT,
        rest_api_timeout_in_ms=args.request_timeout_seconds * 1_000,
        drain_seconds=float(health.DRAIN_SECONDS),
        shutdown_grace_seconds=float(args.request_timeout_seconds),
    )


def _ports(args: DockerHostArgs) -> list[docker.ContainerPortArgs]:
    published = {"rest": args.rest_port, "grpc": args.grpc_port}
    inside = {"rest": args.settings.rest_api_port, "grpc": args.settings.port}
    return [
        docker.ContainerPortArgs(internal=inside[kind], external=port, ip=args.listen_address, protocol="tcp")
        for kind, port in published.items()
        if port
    ]


def _health() -> docker.ContainerHealthcheckArgs:
    # The image has no shell and no curl; it has Python.
    ask = (
        f"import urllib.request as r; r.urlopen('http://127.0.0.1:{plan.MONITORING_PORT}/readyz', timeout=2)"
    )
    return docker.ContainerHealthcheckArgs(
        tests=["CMD", "python3", "-S", "-c", ask],
        interval=f"{health.READINESS_PERIOD_SECONDS}s",
        timeout="5s",
        retries=health.READINESS_FAILURES,
        start_period="2m0s",  # as Docker itself writes it: else every preview shows a change
    )


def _grace_seconds(args: DockerHostArgs) -> int:
    return health.DRAIN_SECONDS + args.request_timeout_seconds + health.EXIT_MARGIN_SECONDS


def _labels(instance: str) -> list[docker.ContainerLabelArgs]:
    found = naming.selector(instance)
    return [docker.ContainerLabelArgs(label=key, value=found[key]) for key in sorted(found)]


def _address(scheme: str, args: DockerHostArgs, port: int) -> str:
    return f"{scheme}{args.listen_address}:{port}" if port else ""


def _replaced_in_place(parent: pulumi.Resource) -> pulumi.ResourceOptions:
    # Name and ports are taken as long as the old container runs.
    return pulumi.ResourceOptions(parent=parent, delete_before_replace=True)
