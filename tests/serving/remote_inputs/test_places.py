import pytest

from serving.errors import InvalidRequest, PermissionRefused, SettingsError
from serving.remote_inputs.places import locate, parse_prefixes

PREFIXES = parse_prefixes("https://images.example/shop/, http://10.0.0.1:8080/")


@pytest.mark.parametrize(
    ("uri", "host", "port", "target"),
    [
        ("https://images.example/shop/a.jpg", "images.example", 443, "/shop/a.jpg"),
        (
            "https://IMAGES.example:443/shop/a%20b.jpg?v=1&w=%2B",
            "images.example",
            443,
            "/shop/a%20b.jpg?v=1&w=%2B",
        ),
        ("http://10.0.0.1:8080/", "10.0.0.1", 8080, "/"),
        ("https://images.example/shop/...", "images.example", 443, "/shop/..."),
    ],
)
def test_what_is_below_a_listed_place_may_be_fetched(uri: str, host: str, port: int, target: str) -> None:
    place = locate(uri, PREFIXES)
    assert (place.host, place.port, place.target) == (host, port, target)


@pytest.mark.parametrize(
    "uri",
    [
        "https://images.example/",
        "https://images.example/shop",
        "https://images.example/shopping/a",
        "http://images.example/shop/a",
        "https://images.example:444/shop/a",
        "https://images.example.evil/shop/a",
        "https://images.example./shop/a",
        "https://evil/https://images.example/shop/a",
        "http://10.0.0.1/a",
        "http://167772161:8080/a",
        "http://169.254.169.254/latest/meta-data",
        "http://localhost:8080/",
    ],
)
def test_any_other_place_is_refused(uri: str) -> None:
    with pytest.raises(PermissionRefused, match="from listed places only"):
        locate(uri, PREFIXES)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "images.example/shop/a",
        "//images.example/shop/a",
        "file:///etc/passwd",
        "ftp://images.example/shop/a",
        "HTTPS:/images.example/shop/a",
        "https://user@images.example/shop/a",
        "https://images.example@evil/shop/a",
        "https://images.example/shop/../secret",
        "https://images.example/shop/./a",
        "https://images.example/shop/%2e%2e/secret",
        "https://images.example/shop/a%2Fb",
        "https://images.example/shop/a%5cb",
        "https://images.example\\@evil/shop/a",
        "https://images.example/shop/a#b",
        "https://images.example/shop/a b",
        "https://images.example/shop/a\r\nx: y",
        "https://images.example/shop/\0",
        "https://images.example:x/shop/a",
        "https://images.example:99999/shop/a",
        "https://[::1/shop/a",
        "https://bücher.example/shop/a",
        "https://images.example/shop/" + "a" * 2048,
    ],
)
def test_what_is_no_plain_uri_is_refused(uri: str) -> None:
    with pytest.raises(InvalidRequest, match="expected the uri of an input"):
        locate(uri, PREFIXES)


@pytest.mark.parametrize(
    "text",
    ["images.example/", "https://images.example/shop", "https://images.example/?a=/", "https://u@h/", "*"],
)
def test_a_prefix_that_could_be_read_otherwise_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="remote_input_prefixes must be URIs like"):
        parse_prefixes(text)


def test_no_prefix_is_none() -> None:
    assert parse_prefixes(" , ") == ()
