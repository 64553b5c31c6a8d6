import pytest

from serving.http1 import Response
from serving.upstream.response_heads import MAX_HEAD_BYTES, MAX_KEPT_HEADS, ResponseHeads

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nX-More: 1\r\n\r\n"


def response(body: bytes = b"{}", status: int = 200) -> Response:
    return Response(body=body, status=status, headers=(("x-more", "1"),))


def test_the_same_head_means_the_same_with_another_body() -> None:
    heads = ResponseHeads()
    heads.learn(HEAD + b"{}", response())
    assert heads.read(HEAD + b"[]") == response(b"[]")


@pytest.mark.parametrize(
    "data",
    [HEAD.replace(b"200", b"201") + b"[]", HEAD + b"[", HEAD + b"[][", HEAD[:-4], b"", b"\r\n\r\n"],
    ids=["another head", "cut off", "more than one", "half a head", "nothing", "no head"],
)
def test_anything_else_is_left_to_the_parser(data: bytes) -> None:
    heads = ResponseHeads()
    heads.learn(HEAD + b"{}", response())
    assert heads.read(data) is None


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (HEAD.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked"), 200),
        (HEAD.replace(b"X-More: 1", b"Content-Length: 3"), 200),
        (HEAD.replace(b"X-More: 1", b"Transfer-Encoding: gzip"), 200),
        (HEAD.replace(b"Content-Length: 2\r\n", b""), 200),
        (HEAD.replace(b"200 OK", b"304 Not Modified"), 304),
        (HEAD.replace(b"X-More: 1", b"X-More: " + b"1" * MAX_HEAD_BYTES), 200),
    ],
    ids=["chunked", "two lengths", "two encodings", "no length", "no body", "too long"],
)
def test_a_head_whose_body_is_not_plain_is_never_remembered(head: bytes, status: int) -> None:
    heads = ResponseHeads()
    heads.learn(head + b"{}", response(status=status))
    assert heads.read(head + b"{}") is None


def test_what_came_with_something_else_is_not_remembered() -> None:
    heads = ResponseHeads()
    heads.learn(HEAD + b"{}" + HEAD + b"{}", response())
    heads.learn(b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"{}", response())
    assert heads.read(HEAD + b"{}") is None


def test_what_is_remembered_is_bounded() -> None:
    heads = ResponseHeads()
    for number in range(MAX_KEPT_HEADS + 1):
        heads.learn(HEAD.replace(b"X-More: 1", b"X-More: %d" % number) + b"{}", response())
    assert heads.read(HEAD.replace(b"X-More: 1", b"X-More: 0") + b"{}") is None
