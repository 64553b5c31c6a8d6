import gzip
import http.server
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolchain import registry_client
from toolchain.errors import ComponentFailed
from toolchain.registry_client import Image, digest_of


class Registry(http.server.ThreadingHTTPServer):
    """Just enough of the distribution specification to accept a push."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.stored: dict[str, bytes] = {}
        self.uploads = 0


class Handler(http.server.BaseHTTPRequestHandler):
    server: Registry

    def do_HEAD(self) -> None:
        content = self.server.stored.get(self.path)
        self.send_response(404 if content is None else 200)
        if content is not None:
            self.send_header("Docker-Content-Digest", digest_of(content))
        self.end_headers()

    def do_POST(self) -> None:
        self.server.uploads += 1
        self.send_response(202)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}{self.path}1?state=x")
        self.end_headers()

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        path, _, query = self.path.partition("?")
        if query:
            path = f"{path.rpartition('/uploads/')[0]}/{query.partition('digest=')[2]}"
        self.server.stored[path] = body
        self.send_response(201)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def _image(tmp_path: Path) -> Image:
    file = tmp_path / "pause"
    file.write_bytes(b"program")
    return registry_client.single_file_image(file)


def test_an_image_of_one_file_runs_that_file(tmp_path: Path) -> None:
    image = _image(tmp_path)
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(image.layer))) as layer:
        assert layer.getnames() == ["pause"]
        assert layer.getmember("pause").mode == 0o755
    assert json.loads(image.config())["config"]["Entrypoint"] == ["/pause"]
    assert image.diff_id == digest_of(gzip.decompress(image.layer))


def test_the_same_file_gives_the_same_image_every_time(tmp_path: Path) -> None:
    assert _image(tmp_path).manifest() == _image(tmp_path).manifest()


def test_what_is_pushed_can_be_found_by_tag(tmp_path: Path, registry: Registry) -> None:
    image = _image(tmp_path)
    reference = registry_client.push(
        image, registry=f"127.0.0.1:{registry.server_port}", repository="a/pause", tag="1"
    )
    manifest = registry.stored["/v2/a/pause/manifests/1"]
    assert reference.endswith(f"a/pause@{digest_of(manifest)}")
    for part in (json.loads(manifest)["config"], *json.loads(manifest)["layers"]):
        stored = registry.stored[f"/v2/a/pause/blobs/{part['digest']}"]
        assert (digest_of(stored), len(stored)) == (part["digest"], part["size"])


def test_a_second_push_sends_nothing(tmp_path: Path, registry: Registry) -> None:
    address = f"127.0.0.1:{registry.server_port}"
    for _ in range(2):
        registry_client.push(_image(tmp_path), registry=address, repository="a/pause", tag="1")
    assert registry.uploads == 2


def test_a_layer_that_is_there_is_not_sent_again_under_another_tag(
    tmp_path: Path, registry: Registry
) -> None:
    address = f"127.0.0.1:{registry.server_port}"
    for tag in ("1", "2"):
        registry_client.push(_image(tmp_path), registry=address, repository="a/pause", tag=tag)
    assert registry.uploads == 2
    assert registry.stored["/v2/a/pause/manifests/1"] == registry.stored["/v2/a/pause/manifests/2"]


def test_a_registry_that_is_gone_is_reported_with_where_to_look(tmp_path: Path) -> None:
    with pytest.raises(ComponentFailed, match="bin/cluster status"):
        registry_client.push(_image(tmp_path), registry="127.0.0.1:1", repository="a/pause", tag="1")
