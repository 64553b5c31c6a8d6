"""Identities by mutual TLS, on every transport, with certificates made for the test."""

import ssl
import subprocess
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import httpx
import pytest

from serving.server import Server
from serving.tls import certificate_names
from tests.serving.access.worlds import PREDICT, identity, question, serve, write_access
from tests.serving.test_tls import Pair, write_config

SPIFFE = "spiffe://cluster.local/ns/shop/sa/web"


class Authority(Pair):
    """A certificate that signs others'."""

    def sign(self, folder: Path, name: str, subject: str, alternatives: str) -> tuple[str, str]:
        """The files of the certificate and key of a client."""
        key, request, certificate = (folder / f"{name}.{kind}" for kind in ("key", "csr", "crt"))
        extensions = folder / f"{name}.ext"
        extensions.write_text(
            f"subjectAltName={alternatives}\n" if alternatives else "basicConstraints=CA:FALSE\n"
        )
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        _openssl("req", *curve, "-subj", subject, "-keyout", str(key), "-out", str(request))
        signer = ["-CA", str(self.certificate_file), "-CAkey", str(self.key_file), "-CAcreateserial"]
        files = ["-in", str(request), "-out", str(certificate), "-extfile", str(extensions)]
        _openssl("x509", "-req", "-days", "2", *signer, *files)
        return str(certificate), str(key)


def _openssl(*line: str) -> None:
    subprocess.run(["openssl", *line], check=True, capture_output=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder, "authority")


@pytest.fixture(scope="module")
def server_pair(folder: Path) -> Pair:
    return Pair(folder, "server")


CLIENTS = [
    pytest.param("/CN=anybody", f"URI:{SPIFFE}", 200, "OK", id="by URI"),
    pytest.param("/CN=anybody", "DNS:web.shop", 200, "OK", id="by DNS name"),
    pytest.param("/CN=shop", "", 200, "OK", id="by common name"),
    pytest.param("/CN=shop", "DNS:elsewhere", 401, "UNAUTHENTICATED", id="a common name beside others"),
    pytest.param("/CN=nobody", "URI:spiffe://elsewhere", 401, "UNAUTHENTICATED", id="a stranger"),
]


@pytest.mark.parametrize("transport", ["http2", "grpcio"])
@pytest.mark.parametrize(("subject", "alternatives", "status", "code"), CLIENTS)
async def test_a_certificate_is_an_identity(
    authority: Authority,
    server_pair: Pair,
    tmp_path: Path,
    transport: str,
    subject: str,
    alternatives: str,
    status: int,
    code: str,
) -> None:
    names = [f"URI:{SPIFFE}", "DNS:web.shop", "CN:shop"]
    known = identity("shop", certificates=names, models={"double": ["infer"]})
    settings: dict[str, Any] = {
        "access_file": str(write_access(tmp_path / "access.json", known)),
        "ssl_config_file": write_config(tmp_path, server_pair, authority),
        "enable_rest_tls": True,
        "grpc_transport": transport,
    }
    files = authority.sign(tmp_path, "client", subject, alternatives)
    async with serve(tmp_path, **settings) as server:
        assert await ask_over_rest(server, server_pair, files) == status
        assert await ask_over_grpc(server, server_pair, files) == code


async def ask_over_rest(server: Server, server_pair: Pair, files: tuple[str, str]) -> int:
    context = ssl.create_default_context(cadata=server_pair.certificate)
    context.load_cert_chain(*files)
    async with httpx.AsyncClient(verify=context) as client:
        url = f"https://localhost:{server.rest_port}/v1/models/double:predict"
        return (await client.post(url, json={"instances": [[1, 2]]})).status_code


async def ask_over_grpc(server: Server, server_pair: Pair, files: tuple[str, str]) -> str:
    credentials = grpc_credentials(server_pair, files)
    async with grpc.aio.secure_channel(f"localhost:{server.grpc_port}", credentials) as channel:
        try:
            await channel.unary_unary(PREDICT)(question("double"), timeout=10)
        except grpc.aio.AioRpcError as error:
            return error.code().name
    return "OK"


def grpc_credentials(server_pair: Pair, files: tuple[str, str]) -> grpc.ChannelCredentials:
    certificate, key = (Path(file).read_bytes() for file in files)
    return grpc.ssl_channel_credentials(server_pair.certificate.encode(), key, certificate)


def test_without_a_certificate_there_are_no_names() -> None:
    assert (certificate_names(None), certificate_names({})) == ((), ())
