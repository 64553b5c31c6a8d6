import pytest

from serving.errors import SettingsError
from serving.upstream.addresses import Address, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8500", Address(host="127.0.0.1", port=8500)),
        ("tfs.models.svc:1", Address(host="tfs.models.svc", port=1)),
        ("[::1]:65535", Address(host="::1", port=65535)),
        ("unix:/run/tfs/grpc.sock", Address(path="/run/tfs/grpc.sock")),
        ("unix:///run/tfs/grpc.sock", Address(path="/run/tfs/grpc.sock")),
        ("unix:grpc.sock", Address(path="grpc.sock")),
    ],
    ids=["ipv4", "name", "ipv6", "socket", "socket as a URI", "relative socket"],
)
def test_an_address_is_host_and_port_or_a_socket(text: str, address: Address) -> None:
    assert parse_address(text, source="upstream_grpc") == address


@pytest.mark.parametrize(
    "text", ["8500", ":8500", "host:", "host:0", "host:65536", "host:http", "unix:", "http://host", ""]
)
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^upstream_grpc must be HOST:PORT or unix:PATH, got "):
        parse_address(text, source="upstream_grpc")


@pytest.mark.parametrize("text", ["127.0.0.1:8500", "[::1]:8500", "unix:/run/s"])
def test_an_address_reads_as_it_was_written(text: str) -> None:
    assert str(parse_address(text, source="any")) == text
