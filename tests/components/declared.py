"""Run a Pulumi program without a CLI and keep what it declared, as plain data to compare outside of any `apply`."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import pulumi
from pulumi.runtime import mocks, settings, stack

PROJECT = "tf-serving-platform"
RUNTIME_REF = "registry.example.com/team/runtime:cpu@sha256:" + "a" * 64


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One resource as the engine would be asked for it."""

    type: str
    name: str
    inputs: dict[str, Any]
    provider: str

    @property
    def kind(self) -> str:
        """The last part of the type, such as `Deployment`."""
        return self.type.rpartition(":")[2]


@dataclass
class Recorder(mocks.Mocks):
    """Answers as a provider would, and remembers what it was asked."""

    resources: list[Declared] = field(default_factory=list)
    hooks: dict[str, pulumi.ErrorHook | pulumi.ResourceHook] = field(default_factory=dict)
    deployed: Mapping[str, Any] = field(default_factory=dict)
    """Outputs of the stack's last update."""
    unreadable: int = 0
    """How many times those outputs cannot be read before they can."""
    push: Callable[[str], str] = lambda name: f"{name}@sha256:{'a' * 64}"
    """Keeps an image under a name and returns its reference by digest, as a builder does."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.resources.append(
            Declared(type=args.typ, name=args.name, inputs=args.inputs, provider=args.provider or "")
        )
        return f"{args.name}-id", _answer(args, self.push)

    def call(self, args: mocks.MockCallArgs) -> dict[str, Any]:
        if args.token != "pulumi:pulumi:readStackOutputs":
            raise AssertionError(f"a preview must look nothing up, but {args.token} was called")
        if self.unreadable:
            self.unreadable -= 1
            raise _StateIsBeingWritten
        return {"name": args.args["name"], "outputs": dict(self.deployed)}

    def register_error_hook(self, hook: pulumi.ErrorHook) -> None:
        self.hooks[hook.name] = hook

    def register_resource_hook(self, hook: pulumi.ResourceHook) -> None:
        self.hooks[hook.name] = hook


class _StateIsBeingWritten(grpc.RpcError):
    """What the engine answers while the file of a state is empty."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return "failed to load checkpoint: EOF"


@dataclass(frozen=True, kw_only=True)
class Program:
    """What a program declared and exported."""

    resources: tuple[Declared, ...]
    outputs: Mapping[str, Any]
    awaited: Mapping[str, frozenset[str]]
    """Names of the resources that each of the outputs waits for."""
    hooks: Mapping[str, pulumi.ErrorHook | pulumi.ResourceHook]

    def one(self, kind: str) -> Declared:
        """Return the only resource whose type ends in `kind`."""
        found = self.all(kind)
        assert len(found) == 1, f"expected one {kind}, got {[each.name for each in found]}"
        return found[0]

    def all(self, kind: str) -> list[Declared]:
        """Return the resources whose type ends in `kind`."""
        return [each for each in self.resources if each.kind == kind]


def declare(program: Callable[[], object], recorder: Recorder | None = None) -> Program:
    """Run `program` to its end against a recorder; its exports are resolved and kept."""
    recorder = recorder or Recorder()
    outputs: dict[str, Any] = {}
    awaited: dict[str, frozenset[str]] = {}

    async def run() -> None:
        program()
        for name, value in _exports().items():
            output = pulumi.Output.from_input(value)
            outputs[name] = await output.future()
            awaited[name] = frozenset(each.pulumi_resource_name for each in await output.resources())

    with _provider_threads() as threads, asyncio.Runner() as runner:
        runner.get_loop().set_default_executor(threads)
        # A program that ends with an error leaves futures behind whose errors nobody asks for. The garbage collector would report them
        # at any moment, even while pytest parses a file, which Python 3.11 does not survive: formatting a trace parses too.
        runner.get_loop().set_exception_handler(lambda _loop, _context: None)
        # Never `preview=True`: what hangs on an unknown value would not run, and nor would its assertions.
        runner.run(_under_mocks(recorder, run))
    resources = tuple(recorder.resources)
    return Program(resources=resources, outputs=outputs, awaited=awaited, hooks=recorder.hooks)


async def _under_mocks(recorder: Recorder, run: Callable[[], Awaitable[None]]) -> None:
    mocks.set_mocks(recorder, project=PROJECT, stack="test", preview=False)
    # What a failed run before this one left waiting belongs to an event loop that is closed.
    settings.SETTINGS.rpc_manager.clear()
    settings.SETTINGS.outputs.clear()
    # Pulumi's mocks say that they support hooks and then have no place for them.
    settings.SETTINGS.callbacks = recorder
    await stack.run_pulumi_func(run)  # waits for every registration, and raises what one of them raised


@contextmanager
def _provider_threads() -> Iterator[ThreadPoolExecutor]:
    """Threads for the mock engine, each with the event loop that Pulumi's mocks would open there and leave open."""
    loops: list[asyncio.AbstractEventLoop] = []

    def start() -> None:
        loops.append(asyncio.new_event_loop())
        asyncio.set_event_loop(loops[-1])

    try:
        with ThreadPoolExecutor(max_workers=4, initializer=start) as threads:
            yield threads
    finally:
        for loop in loops:
            loop.close()


def _exports() -> Mapping[str, Any]:
    root = pulumi.runtime.get_root_resource()
    assert isinstance(root, stack.Stack)
    return root.outputs


def _answer(args: mocks.MockResourceArgs, push: Callable[[str], str]) -> dict[str, Any]:
    if args.typ == "docker-build:index:Image":
        ref = push(args.inputs["tags"][0])
        return {**args.inputs, "ref": ref, "digest": ref.partition("@")[2]}
    if args.typ == "kubernetes:core/v1:Service":
        return {**args.inputs, "spec": _with_node_ports(args.inputs["spec"]), "status": {"loadBalancer": {}}}
    return dict(args.inputs)


def _with_node_ports(spec: Mapping[str, Any]) -> dict[str, Any]:
    if spec["type"] == "ClusterIP":
        return dict(spec)
    ports = [{"nodePort": 30_000 + number, **port} for number, port in enumerate(spec["ports"])]
    return {**spec, "ports": ports}
