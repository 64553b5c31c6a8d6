"""What an empty unary gRPC call costs the server: our own HTTP/2 framing beside grpcio's, in one run.

    python -m bench.http2_floor [--rounds 5] [--json]

Both servers answer the same constant to the same 3.2 KB message, each in its own process on uvloop; h2load
(Debian: `nghttp2-client`) asks them in turn, round by round. What counts is the server's processor time a
call, user and system: on a shared machine it moves by a tenth where throughput moves by three.
"""

import argparse
import asyncio
import json
import os
import re
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

METHOD = "/bench.Floor/Ask"
QUESTION = b"x" * 3190  # a PredictRequest for one MNIST row
ANSWER = b"\x0a\x00" + b"x" * 60
PARALLEL = {"c=1": (1, 1), "c=64": (8, 8)}
CALLS = {"native": {"c=1": 5_000, "c=64": 60_000}, "grpcio": {"c=1": 2_500, "c=64": 8_000}}


async def serve_native(port: int, _upstream: int) -> None:
    from serving.http2 import UnaryServer

    await UnaryServer({METHOD: lambda _message, _call: ANSWER}).start(port=port)


async def serve_grpcio(port: int, _upstream: int) -> None:
    async def answer(_message: bytes, _context: object) -> bytes:
        return ANSWER

    await _start_grpcio(port, answer)


async def relay_native(port: int, upstream: int) -> None:
    from serving.http2 import LATER, Answer, CallContext, StatusError, UnaryClient, UnaryServer

    client = UnaryClient(port=upstream)

    def forward(message: bytes, call: CallContext) -> Answer:
        def finish(answer: bytes | None, error: StatusError | None) -> None:
            if error is None:
                call.answer(answer or b"")
            else:
                call.fail(error)

        call.on_cancel(client.begin(call.path, message, finish))
        return LATER

    await UnaryServer({METHOD: forward}).start(port=port)


async def relay_grpcio(port: int, upstream: int) -> None:
    import grpc

    channel = grpc.aio.insecure_channel(f"127.0.0.1:{upstream}")
    ask = channel.unary_unary(METHOD, None, None)

    async def forward(message: bytes, _context: object) -> bytes:
        return bytes(await ask(message))

    await _start_grpcio(port, forward)


async def _start_grpcio(port: int, answer: Callable[[bytes, object], Awaitable[bytes]]) -> None:
    import grpc

    service, method = METHOD.strip("/").split("/")
    server = grpc.aio.server()
    handlers = {method: grpc.unary_unary_rpc_method_handler(answer)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    KEPT.append(server)


SERVERS = {
    "native": serve_native,
    "grpcio": serve_grpcio,
    "native relay": relay_native,
    "grpcio relay": relay_grpcio,
}
ROLES = ("serves", "relays")
"""A relay passes each call on to the server of its own kind, and only the relay's time is counted."""
KEPT: list[Any] = []
"""grpcio stops a server that nobody refers to."""


def serve(name: str, port: int, upstream: int) -> None:
    import uvloop

    async def run() -> None:
        await SERVERS[name](port, upstream)
        print("ready", flush=True)
        await asyncio.Event().wait()

    uvloop.run(run())


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server under test."""

    name: str
    port: int
    process_id: int

    def cpu_seconds(self) -> float:
        """User and system time of all threads, from `/proc`."""
        fields = Path(f"/proc/{self.process_id}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def started(name: str, upstream: int) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "bench.http2_floor", "--serve", name]
    command += ["--port", str(port), "--upstream", str(upstream)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield Server(name=name, port=port, process_id=process.pid)
        finally:
            process.terminate()


def measure(server: Server, load: str, body: Path) -> dict[str, float]:
    """Microseconds of the server's processor time a call, and calls a second."""
    connections, streams = PARALLEL[load]
    calls = CALLS[server.name.split()[0]][load]
    command = ["h2load", "-t1", f"-n{calls}", f"-c{connections}", f"-m{streams}", f"-d{body}"]
    fields = ["-Hcontent-type: application/grpc", "-Hte: trailers"]
    before = server.cpu_seconds()
    output = subprocess.run(
        [*command, *fields, f"http://127.0.0.1:{server.port}{METHOD}"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    spent = server.cpu_seconds() - before
    found = re.search(r"finished in .*?, ([\d.]+) req/s", output)
    if f"status codes: {calls} 2xx" not in output or found is None:
        raise SystemExit(
            f"{server.name} at {load} must answer all of {calls} calls, but h2load says:\n{output}"
        )
    return {"cpu_us": spent / calls * 1e6, "calls_per_second": float(found[1])}


Results = dict[tuple[str, str], dict[str, list[dict[str, float]]]]
"""By role and load, then by implementation: one point a round."""


def run(rounds: int) -> Results:
    results: Results = {(role, load): {"native": [], "grpcio": []} for role in ROLES for load in PARALLEL}
    with ExitStack() as stack:
        body = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "message"
        body.write_bytes(struct.pack(">BI", 0, len(QUESTION)) + QUESTION)
        servers: dict[tuple[str, str], Server] = {}
        for name in ("native", "grpcio"):
            server = servers["serves", name] = stack.enter_context(started(name, 0))
            servers["relays", name] = stack.enter_context(started(f"{name} relay", server.port))
        for server in servers.values():
            measure(server, "c=64", body)
        for _ in range(rounds):
            for (role, load), by_name in results.items():
                for name, points in by_name.items():
                    points.append(measure(servers[role, name], load, body))
    return results


def summarise(results: Results) -> list[dict[str, Any]]:
    rows = []
    for (role, load), by_name in results.items():
        costs = {name: [point["cpu_us"] for point in points] for name, points in by_name.items()}
        ratios = [theirs / ours for ours, theirs in zip(costs["native"], costs["grpcio"], strict=True)]
        row: dict[str, Any] = {"role": role, "load": load, "ratio": round(statistics.median(ratios), 1)}
        for name, points in by_name.items():
            row[f"{name}_cpu_us"] = [round(min(costs[name]), 1), round(statistics.median(costs[name]), 1)]
            rates = [point["calls_per_second"] for point in points]
            row[f"{name}_calls_per_second"] = round(statistics.median(rates))
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", choices=sorted(SERVERS), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--upstream", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.port, options.upstream)
        return
    if shutil.which("h2load") is None:
        raise SystemExit(
            "h2load must be installed to ask the servers; it is in Debian's package nghttp2-client"
        )
    rows = summarise(run(options.rounds))
    if options.json:
        print(json.dumps({"rounds": options.rounds, "rows": rows}))
        return
    print(
        f"{'role':7} {'load':5} {'native us (min, median)':>25} {'grpcio us (min, median)':>25} {'ratio':>6}"
    )
    for row in rows:
        costs = f"{row['native_cpu_us']!s:>25} {row['grpcio_cpu_us']!s:>25}"
        print(f"{row['role']:7} {row['load']:5} {costs} {row['ratio']:>6}")


if __name__ == "__main__":
    main()
