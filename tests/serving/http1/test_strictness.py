"""What can be read in two ways is refused, or read as one."""

import pytest

from serving.http1 import Request, Response
from tests.serving.http1.test_connection import ask, serving


@pytest.mark.parametrize(
    ("head", "said"),
    [
        pytest.param(b"GET / HTTP/1.1\r\n", b"expected a header host, got none", id="no host"),
        pytest.param(b"GET / HTTP/1.1\r\nhost:\r\nhost: b\r\n", b"one header host", id="two hosts"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n", b"one header host", id="the same host twice"
        ),
        pytest.param(b"GET / HTTP/1.1\r\nhost: a b\r\n", b"one header host", id="two names"),
        pytest.param(b"GET /\r\n", b"", id="HTTP/0.9"),
        pytest.param(b"GET / HTTP/2.0\r\nhost: a\r\n", b"", id="HTTP/2.0"),
    ],
)
async def test_a_head_that_is_none_of_ours_is_refused_and_its_connection_closed(
    head: bytes, said: bytes
) -> None:
    async with serving() as (_, connect):
        status, headers, body = await ask(connect, head + b"\r\n")
    assert (status, headers["connection"], said in body) == (400, "close", True), body


@pytest.mark.parametrize(
    "head",
    [b"GET / HTTP/1.0\r\n", b"GET / HTTP/1.1\r\nhost: [::1]:8501\r\n", b"GET / HTTP/1.1\r\nhost:\r\n"],
    ids=["HTTP/1.0 needs no host", "an address", "an empty host is one"],
)
async def test_a_head_as_the_rules_want_it_is_taken(head: bytes) -> None:
    async with serving() as (_, connect):
        assert (await ask(connect, head + b"\r\n"))[0] == 200


async def test_a_header_that_comes_twice_is_one_list() -> None:
    async def tell(request: Request) -> Response:
        return Response(body=request.headers["authorization"].encode(), content_type="text/plain")

    async with serving(tell) as (_, connect):
        head = b"GET / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer x\r\nAuthorization: Bearer y\r\n\r\n"
        assert (await ask(connect, head))[2] == b"Bearer x, Bearer y"
