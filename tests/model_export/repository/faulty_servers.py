"""Servers that fail on purpose: one that says only what it is told to, and a wire to a real one that loses or cuts answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

EMPTY_LISTING = b"<ListBucketResult><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>"
BUSY = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"

Answer = Callable[[str, str], tuple[int, bytes]]


@contextmanager
def scripted(answer: Answer) -> Iterator[str]:
    """Serve HTTP: `answer(method, path)` gives status and body. Yields the endpoint."""

    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, body = answer(self.command, self.path)
            self.send_response(status)
            self.send_header("ETag", '"x"')
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_HEAD = do_DELETE = _reply  # noqa: N815 - names that http.server calls

        def log_message(self, *_words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class FaultyWire:
    """Carries connections to a server; `passed_bytes(request line)` says how much of an answer gets back, `None` for all of it."""

    def __init__(self, port: int, passed_bytes: Callable[[str], int | None]) -> None:
        self._target = ("127.0.0.1", port)
        self._passed_bytes = passed_bytes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._target) as server:
            first = client.recv(65536)
            limit = self._passed_bytes(first.partition(b"\r\n")[0].decode())
            server.sendall(first)
            threading.Thread(target=_pump, args=(client, server), daemon=True).start()
            passed = 0
            with suppress(OSError):  # the client has gone
                while answer := server.recv(65536):
                    kept = answer if limit is None else answer[: max(limit - passed, 0)]
                    passed += len(kept)
                    client.sendall(kept)
            for each in (client, server):  # closing alone would wait for the other thread's `recv`
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):  # the other side has closed: the answer is complete, or cut
        while chunk := source.recv(65536):
            target.sendall(chunk)
