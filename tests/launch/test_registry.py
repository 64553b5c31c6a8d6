"""Image references as registries address them."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from launch.registry import is_lost, manifest_url, pulled_bytes

HASH = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        (f"127.0.0.1:5000/a/b@{HASH}", f"http://127.0.0.1:5000/v2/a/b/manifests/{HASH}"),
        (f"127.0.0.1:5000/a/b:1@{HASH}", f"http://127.0.0.1:5000/v2/a/b/manifests/{HASH}"),
        ("localhost:5000/a:1", "http://localhost:5000/v2/a/manifests/1"),
        (f"registry.example.com/team/a@{HASH}", f"https://registry.example.com/v2/team/a/manifests/{HASH}"),
        ("registry.example.com/a", "https://registry.example.com/v2/a/manifests/latest"),
    ],
    ids=["digest", "tag and digest", "tag", "other host", "neither"],
)
def test_a_reference_has_one_manifest_address(reference: str, url: str) -> None:
    assert manifest_url(reference) == url


class Registry(BaseHTTPRequestHandler):
    """A registry that holds one image."""

    def do_GET(self) -> None:
        held = self.path == "/v2/held/manifests/1"
        self.send_response(200 if held else 404)
        self.end_headers()
        self.wfile.write(b'{"layers": [{"size": 2}], "config": {"size": 1}}' if held else b"{}")

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def host() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_image_is_lost_only_where_the_registry_says_so(host: str) -> None:
    assert not is_lost(f"{host}/held:1")
    assert is_lost(f"{host}/other:1")
    assert not is_lost("127.0.0.1:9/held:1")


def test_a_pull_is_the_layers_and_the_configuration(host: str) -> None:
    assert pulled_bytes(f"{host}/held:1") == 3
    assert pulled_bytes(f"{host}/other:1") is None
