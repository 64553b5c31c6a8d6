import hpack
import pytest

from serving.http2 import StatusCode
from serving.http2.metadata import encode_metadata
from serving.http2.responses import (
    ANSWER_BLOCK,
    OK_TRAILERS_BLOCK,
    percent_encode,
    trailers_block,
    trailers_only_block,
)


def decoded(block: bytes) -> dict[str, str]:
    return dict(hpack.Decoder().decode(block))


def test_the_constant_blocks_say_what_a_good_answer_says() -> None:
    assert decoded(ANSWER_BLOCK) == {":status": "200", "content-type": "application/grpc"}
    assert decoded(OK_TRAILERS_BLOCK) == {"grpc-status": "0"}


def test_an_answer_of_trailers_only_has_status_message_and_metadata() -> None:
    block = trailers_only_block(
        StatusCode.NOT_FOUND, "no model", [("x-cost", "1"), ("x-trace-bin", b"\0\xff")]
    )
    assert decoded(block) == {
        ":status": "200",
        "content-type": "application/grpc",
        "grpc-accept-encoding": "identity",
        "grpc-status": "5",
        "grpc-message": "no model",
        "x-cost": "1",
        "x-trace-bin": "AP8",
    }


@pytest.mark.parametrize(
    ("message", "encoded"),
    [
        pytest.param("plain text", b"plain text", id="ASCII"),
        pytest.param("100%", b"100%25", id="percent"),
        pytest.param("größer", b"gr%C3%B6%C3%9Fer", id="UTF-8"),
        pytest.param("a\r\nb", b"a%0D%0Ab", id="line break"),
        pytest.param(" padded ", b"padded", id="spaces that a field may not have"),
        pytest.param("\ud800", b"?", id="no text at all"),
    ],
)
def test_a_message_is_percent_encoded(message: str, encoded: bytes) -> None:
    assert percent_encode(message) == encoded


def test_a_long_message_is_cut_between_two_characters() -> None:
    assert percent_encode("ß" * 1000) == b"%C3%9F" * 512


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(("x-a", b"bytes"), id="bytes without -bin"),
        pytest.param(("x-bin", "text"), id="text with -bin"),
        pytest.param(("X-A", "1"), id="upper case"),
        pytest.param(("x a", "1"), id="space in the name"),
        pytest.param((":status", "200"), id="pseudo-header"),
        pytest.param(("x-a", "1\r\nx-b: 2"), id="line break"),
        pytest.param(("x-a", "ß"), id="not ASCII"),
    ],
)
def test_metadata_that_no_field_can_carry_is_refused(item: tuple[str, str | bytes]) -> None:
    with pytest.raises(ValueError, match=r"metadata|ascii"):
        encode_metadata([item])


def test_trailers_without_metadata_are_the_constant() -> None:
    assert trailers_block() == OK_TRAILERS_BLOCK
