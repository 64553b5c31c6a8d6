"""A registry in this process: just enough of the distribution specification, with a login where asked."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_TOKEN = "an opaque token"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Registry(http.server.ThreadingHTTPServer):
    """What was pushed, by path; a test may change it behind the back of those who read."""

    def __init__(self, login: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.stored: dict[str, bytes] = {}
        self.login = login
        """`user:password` that a token is given for; empty for a registry that anybody may use."""
        self.writes = 0
        self.elsewhere: dict[str, str] = {}
        """Where a path has moved to, as registries keep blobs in another's storage."""
        self.told: list[str] = []
        """The `Authorization` of each request for content, oldest first; empty where there was none."""

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def push(self, repository: str, content: bytes = b'{"schemaVersion": 2}') -> str:
        """Keep a manifest and return its reference by digest."""
        self.stored[f"/v2/{repository}/manifests/{digest_of(content)}"] = content
        return f"{self.host}/{repository}@{digest_of(content)}"

    def path(self, image: str, ending: str) -> str:
        """Where the notes about an image are kept."""
        repository, _, digest = image.removeprefix(f"{self.host}/").partition("@")
        return f"/v2/{repository}/manifests/{digest.replace(':', '-')}.{ending}"

    def blob_path(self, image: str, ending: str) -> str:
        """Where the first note about an image is kept."""
        (layer, *_) = json.loads(self.stored[self.path(image, ending)])["layers"]
        return f"{self.path(image, ending).partition('/manifests/')[0]}/blobs/{layer['digest']}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:
        if self.path.startswith("/token"):
            self._give_token()
            return
        self.server.told.append(self.headers.get("Authorization", ""))
        if not self._is_let_in():
            return
        if self.path in self.server.elsewhere:
            self._answer(307, b"", Location=self.server.elsewhere[self.path])
            return
        content = self.server.stored.get(self.path)
        self._answer(404 if content is None else 200, content or b"")

    def do_POST(self) -> None:
        self._body()
        if self._is_let_in():
            self._answer(202, b"", Location=f"{self.path}1?state=x")

    def do_PUT(self) -> None:
        body = self._body()
        if not self._is_let_in():
            return
        path, _, query = self.path.partition("?")
        if query:
            path = f"{path.rpartition('/uploads/')[0]}/{query.rpartition('digest=')[2]}"
        self.server.stored[path] = body
        self.server.writes += 1
        self._answer(201, b"")

    def _give_token(self) -> None:
        wanted = "Basic " + base64.b64encode(self.server.login.encode()).decode()
        is_right = self.headers.get("Authorization") == wanted
        self._answer(200 if is_right else 401, json.dumps({"token": _TOKEN}).encode() if is_right else b"")

    def _is_let_in(self) -> bool:
        if not self.server.login or self.headers.get("Authorization") == f"Bearer {_TOKEN}":
            return True
        realm = f'Bearer realm="http://{self.server.host}/token",service="test"'
        self._answer(401, b"", **{"WWW-Authenticate": realm})
        return False

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, code: int, body: bytes, **headers: str) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def running(login: str = "") -> Iterator[Registry]:
    with Registry(login) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
