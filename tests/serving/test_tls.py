"""TLS and mutual TLS on both gRPC transports and on REST, with certificates made for the test."""

import asyncio
import ssl
import subprocess
from pathlib import Path

import grpc
import grpc.aio
import pytest

from serving.calls import Call
from serving.errors import SettingsError
from serving.grpc.aio import GrpcServer
from serving.grpc.calls import uncounted
from serving.grpc.framed import FramedServer
from serving.http1 import HttpServer, Limits
from serving.settings import ServingSettings
from serving.tls import server_context
from tests.serving.http1.test_connection import echo as echo_http
from tests.serving.http1.test_connection import read_response, refuse


class Pair:
    def __init__(self, folder: Path, name: str) -> None:
        self.key_file, self.certificate_file = folder / f"{name}.key", folder / f"{name}.crt"
        line = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ]
        subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        files = ["-keyout", str(self.key_file), "-out", str(self.certificate_file)]
        subprocess.run([*line, *subject, *files], check=True, capture_output=True)
        self.key, self.certificate = self.key_file.read_text(), self.certificate_file.read_text()


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pair, Pair]:
    folder = tmp_path_factory.mktemp("certificates")
    return Pair(folder, "server"), Pair(folder, "client")


def write_config(folder: Path, server: Pair, client: Pair | None = None) -> str:
    def text(value: str) -> str:
        return '"' + value.replace("\n", "\\n") + '"'

    lines = [f"server_key: {text(server.key)}", f"server_cert: {text(server.certificate)}"]
    if client is not None:
        lines += [f"custom_ca: {text(client.certificate)}", "client_verify: true"]
    path = folder / "ssl.config"
    path.write_text("\n".join(lines))
    return str(path)


async def echo(message: bytes, _call: Call) -> bytes:
    return message


@pytest.mark.parametrize("transport", [GrpcServer, FramedServer], ids=["grpcio", "http2"])
async def test_grpc_is_encrypted_and_asks_for_certificates(
    pairs: tuple[Pair, Pair], tmp_path: Path, transport: type[GrpcServer] | type[FramedServer]
) -> None:
    server_pair, client_pair = pairs
    settings = ServingSettings(ssl_config_file=write_config(tmp_path, server_pair, client_pair))
    server = transport({"/s/Echo": uncounted(echo)}, settings)
    port = await server.listen("127.0.0.1", 0)
    await server.start()
    root = server_pair.certificate.encode()
    known = grpc.ssl_channel_credentials(root, client_pair.key.encode(), client_pair.certificate.encode())
    async with grpc.aio.secure_channel(f"localhost:{port}", known) as channel:
        assert await channel.unary_unary("/s/Echo")(b"hi", timeout=10) == b"hi"
    async with grpc.aio.secure_channel(f"localhost:{port}", grpc.ssl_channel_credentials(root)) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary("/s/Echo")(b"hi", timeout=10)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    await server.close(grace_seconds=0)


async def test_rest_is_encrypted(pairs: tuple[Pair, Pair], tmp_path: Path) -> None:
    server = HttpServer(echo_http, Limits(), refusal=refuse)
    await server.listen("127.0.0.1", 0, tls=server_context(write_config(tmp_path, pairs[0])))
    trusting = ssl.create_default_context(cadata=pairs[0].certificate)
    reader, writer = await asyncio.open_connection("localhost", server.port, ssl=trusting)
    writer.write(b"GET /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert (await read_response(reader))[2] == b"GET /a ? "
    writer.close()
    await server.close(grace_seconds=1)


def test_a_key_that_is_none_is_refused_without_being_quoted(tmp_path: Path, pairs: tuple[Pair, Pair]) -> None:
    path = tmp_path / "ssl.config"
    path.write_text('server_key: "SECRET" server_cert: "x"')
    with pytest.raises(SettingsError, match="expected a key and certificates as PEM in") as caught:
        server_context(str(path))
    assert "SECRET" not in str(caught.value)
