import hpack.huffman
import pytest
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hypothesis import given
from hypothesis import strategies as st

from serving.http2.errors import CompressionFault
from serving.http2.huffman import CODE_LENGTHS, decode_huffman

ENCODER = hpack.huffman.HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)


def test_the_table_of_code_lengths_is_that_of_the_rfc() -> None:
    assert list(CODE_LENGTHS) == list(REQUEST_CODES_LENGTH)


@pytest.mark.parametrize("octet", range(256))
def test_every_octet_is_decoded(octet: int) -> None:
    assert decode_huffman(ENCODER.encode(bytes([octet]))) == bytes([octet])


@given(st.binary(max_size=500))
def test_every_string_survives_the_library_s_encoder(text: bytes) -> None:
    assert decode_huffman(ENCODER.encode(text)) == text


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param("ff", id="eight bits of padding"),
        pytest.param("ffffffff", id="end of string"),
        pytest.param("00", id="padding of zeros"),
    ],
)
def test_wrong_padding_is_refused(encoded: str) -> None:
    with pytest.raises(CompressionFault):
        decode_huffman(bytes.fromhex(encoded))
