"""TLS: `h2` by ALPN or nothing, client certificates as the context demands them, no patience with a slow handshake."""

import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from serving.http2 import CallContext, Limits, UnaryServer
from tests.serving.http2.conftest import Start
from tests.serving.http2.peer import Peer

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")


class Identity:
    """A key and its self-signed certificate."""

    def __init__(self, folder: Path, name: str) -> None:
        self.certificate = folder / f"{name}.crt"
        self.key = folder / f"{name}.key"
        command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        names = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
        files = ["-keyout", str(self.key), "-out", str(self.certificate)]
        subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Identity]:
    folder = tmp_path_factory.mktemp("identities")
    made = {name: Identity(folder, name) for name in ("localhost", "client.test")}
    return made.__getitem__


@pytest.fixture
def server_context(identity: Callable[[str], Identity]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity("localhost").certificate, identity("localhost").key)
    return context


def client_context(server: Identity, *protocols: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(server.certificate))
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


async def test_grpcio_s_client_is_served_over_tls(
    start: Start, server_context: ssl.SSLContext, identity: Callable[[str], Identity]
) -> None:
    server = await start(ssl_context=server_context)
    credentials = grpc.ssl_channel_credentials(identity("localhost").certificate.read_bytes())
    options = [("grpc.ssl_target_name_override", "localhost")]
    async with grpc.aio.secure_channel(
        f"127.0.0.1:{server.ports[0]}", credentials, options=options
    ) as channel:
        message = bytes(300_000)
        assert await channel.unary_unary("/test.Echo/Say")(message, timeout=20) == message


@pytest.mark.parametrize("protocols", [(), ("http/1.1",)], ids=["no ALPN", "another protocol"])
async def test_who_does_not_ask_for_h2_is_closed(
    start: Start,
    server_context: ssl.SSLContext,
    identity: Callable[[str], Identity],
    protocols: tuple[str, ...],
) -> None:
    server = await start(ssl_context=server_context)
    context = client_context(identity("localhost"), *protocols)
    peer = await Peer.connect(server.ports[0], ssl=context, server_hostname="localhost")
    assert await peer.at_end()
    await peer.close()


async def test_a_handler_sees_the_verified_certificate(
    start: Start, server_context: ssl.SSLContext, identity: Callable[[str], Identity]
) -> None:
    def tell_name(_message: bytes, call: CallContext) -> bytes:
        assert call.peer_certificate is not None
        return repr(call.peer_certificate["subject"]).encode()

    server_context.verify_mode = ssl.CERT_REQUIRED
    server_context.load_verify_locations(cafile=str(identity("client.test").certificate))
    server = UnaryServer({"/test.Echo/Say": tell_name})
    await server.start(ssl_context=server_context)
    context = client_context(identity("localhost"), "h2")
    context.load_cert_chain(identity("client.test").certificate, identity("client.test").key)
    peer = await Peer.greet(server.ports[0], ssl=context, server_hostname="localhost")
    peer.call()
    assert b"client.test" in await peer.answer()
    await peer.close()
    await server.close()


async def test_a_handshake_that_does_not_come_is_not_waited_for(
    start: Start, server_context: ssl.SSLContext
) -> None:
    server = await start(ssl_context=server_context, limits=Limits(preface_seconds=0.05))
    peer = await Peer.connect(server.ports[0])
    assert await peer.at_end()
    await peer.close()
