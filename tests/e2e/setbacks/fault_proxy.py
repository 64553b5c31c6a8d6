"""A proxy between a client and the cluster's API server that is slow, refuses or hangs up: `python -m tests.e2e.setbacks.fault_proxy`.

It speaks HTTP to the client, on a port of 127.0.0.1 that it prints, and HTTPS to the API server, with the certificate of a kubeconfig.
What it was asked and what it answered is in its log, line by line: method, status, seconds until the answer began, path.
"""

import argparse
import base64
import json
import ssl
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import httpx

_OF_ONE_CONNECTION: Final = {"connection", "keep-alive", "transfer-encoding", "host"}
HUNG_UP: Final = 0
"""Stands in the log where the status would."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What befalls requests."""

    delay_seconds: float = 0
    """Before each is passed on."""
    refusals: int = 0
    """How many are refused of those with the same method and path, before one is passed on."""
    methods: tuple[str, ...] = ()
    """Those that are refused."""
    status: int = 503
    """Of a refusal."""
    retry_after_seconds: int | None = None
    """What a refusal asks for."""
    watch_seconds: float | None = None
    """How long a watch may be silent, or last, before its connection ends without a word."""


FAULTS: Final = {
    "slow": Fault(delay_seconds=0.5),
    "too many requests": Fault(
        refusals=1, methods=("GET", "PATCH", "POST"), status=429, retry_after_seconds=1
    ),
    "unavailable": Fault(refusals=1_000, methods=("PATCH",), status=503),
    "closed watches": Fault(watch_seconds=1),
}


class Proxy(ThreadingHTTPServer):
    """One server with one fault."""

    daemon_threads = True

    def __init__(self, fault: Fault, upstream: httpx.Client, log: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.fault, self.upstream, self.log = fault, upstream, log
        self.refused: Counter[tuple[str, str]] = Counter()
        self.lock = threading.Lock()

    def refuses(self, method: str, path: str) -> bool:
        if method not in self.fault.methods:
            return False
        with self.lock:
            self.refused[method, path] += 1
            return self.refused[method, path] <= self.fault.refusals

    def note(self, method: str, status: int, seconds: float, path: str) -> None:
        with self.lock, self.log.open("a") as file:
            file.write(f"{method} {status} {seconds:.3f} {path}\n")


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    server: Proxy
    asked_at: float

    def answer(self) -> None:
        self.asked_at = time.monotonic()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        time.sleep(self.server.fault.delay_seconds)
        if self.server.refuses(self.command, self.path.partition("?")[0]):
            self.refuse()
        else:
            self.forward(body)

    do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = answer  # noqa: N815, http.server's names

    def refuse(self) -> None:
        fault = self.server.fault
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": fault.status}
        body = json.dumps({**status, "message": "the fault proxy refuses"}).encode()
        self.note(fault.status)
        self.send_response(fault.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if fault.retry_after_seconds is not None:
            self.send_header("Retry-After", str(fault.retry_after_seconds))
        self.end_headers()
        self.wfile.write(body)

    def forward(self, body: bytes) -> None:
        limit = self.server.fault.watch_seconds if "watch=" in self.path else None
        deadline = time.monotonic() + limit if limit else float("inf")
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in _OF_ONE_CONNECTION
        }
        patience = httpx.Timeout(None, read=limit)
        try:
            with self.server.upstream.stream(
                self.command, self.path, content=body, headers=headers, timeout=patience
            ) as answer:
                self.note(answer.status_code)
                self.pass_on(answer, deadline)
        except httpx.ReadTimeout:
            self.hang_up()

    def pass_on(self, answer: httpx.Response, deadline: float) -> None:
        self.send_response_only(answer.status_code)
        for name, value in answer.headers.multi_items():
            if name not in _OF_ONE_CONNECTION:
                self.send_header(name, value)
        chunked = "content-length" not in answer.headers
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in answer.iter_raw():
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            if time.monotonic() > deadline:
                self.hang_up()
                return
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def hang_up(self) -> None:
        self.note(HUNG_UP)
        self.close_connection = True

    def note(self, status: int) -> None:
        self.server.note(self.command, status, time.monotonic() - self.asked_at, self.path)

    def log_message(self, *_: object) -> None:
        """The log says it."""


def api_server(kubeconfig: Path) -> httpx.Client:
    """Return a client of the API server, with the certificate of a kubeconfig that has one cluster and one user."""
    settings: dict[str, Any] = json.loads(kubeconfig.read_text())
    cluster, user = settings["clusters"][0]["cluster"], settings["users"][0]["user"]
    context = ssl.create_default_context(
        cadata=base64.b64decode(cluster["certificate-authority-data"]).decode()
    )
    with tempfile.NamedTemporaryFile() as file:  # which is where Python wants to read a key from
        for part in ("client-certificate-data", "client-key-data"):
            file.write(base64.b64decode(user[part]))
        file.flush()
        context.load_cert_chain(file.name)
    limits = httpx.Limits(max_connections=None)
    return httpx.Client(base_url=cluster["server"], verify=context, limits=limits, trust_env=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fault", choices=FAULTS, required=True)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    arguments = parser.parse_args()
    proxy = Proxy(FAULTS[arguments.fault], api_server(arguments.kubeconfig), arguments.log)
    print(proxy.server_port, flush=True)
    proxy.serve_forever()


if __name__ == "__main__":
    main()
