"""The Huffman code of header compression (RFC 7541 section 5.2 and appendix B), four bits at a time.

The code is canonical, so the 257 code lengths are the whole table: sorted by length and symbol, each
code is the one before plus one. Decoding walks a tree whose nodes are unfolded to sixteen entries, one
for each value of half an octet; no code is shorter than five bits, so a step ends at most one symbol.
"""

from typing import Final

from serving.http2.errors import CompressionFault

END_OF_STRING: Final = 256

# Appendix B, the column "len in bits", for the symbols 0 to 256.
CODE_LENGTHS: Final[tuple[int, ...]] = (
    *(13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28),
    *(28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28),
    *(6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6),
    *(5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10),
    *(13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7),
    *(7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6),
    *(15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5),
    *(6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28),
    *(20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23),
    *(24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24),
    *(22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23),
    *(21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23),
    *(26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25),
    *(19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27),
    *(20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23),
    *(26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26),
    30,
)


class _Node:
    """A place between two symbols: the tree's children by bit, then unfolded by half an octet."""

    __slots__ = ("children", "is_end", "steps")

    def __init__(self) -> None:
        self.children: list[_Node | int | None] = [None, None]
        self.steps: list[tuple[_Node, int | None] | None] = []
        self.is_end = False


def _assign_codes(lengths: tuple[int, ...]) -> dict[int, str]:
    codes: dict[int, str] = {}
    code = previous = 0
    for length, symbol in sorted((length, symbol) for symbol, length in enumerate(lengths)):
        code <<= length - previous
        codes[symbol] = f"{code:0{length}b}"
        code, previous = code + 1, length
    return codes


def _grow_tree(codes: dict[int, str]) -> tuple[_Node, list[_Node]]:
    root = _Node()
    nodes = [root]
    for symbol, code in codes.items():
        node = root
        for bit in map(int, code[:-1]):
            child = node.children[bit]
            if not isinstance(child, _Node):
                child = node.children[bit] = _Node()
                nodes.append(child)
            node = child
        node.children[int(code[-1])] = symbol
    return root, nodes


def _step(node: _Node, root: _Node, half_octet: int) -> tuple[_Node, int | None] | None:
    emitted: int | None = None
    for shift in (3, 2, 1, 0):
        child = node.children[half_octet >> shift & 1]
        if child is None or child == END_OF_STRING:
            return None
        if isinstance(child, _Node):
            node = child
        else:
            node, emitted = root, child
    return node, emitted


def _build_machine() -> _Node:
    codes = _assign_codes(CODE_LENGTHS)
    root, nodes = _grow_tree(codes)
    for node in nodes:
        node.steps = [_step(node, root, half_octet) for half_octet in range(16)]
    # Padding is the start of END_OF_STRING, which is all ones, and shorter than an octet.
    node = root
    for _ in range(8):
        node.is_end = True
        child = node.children[1]
        assert isinstance(child, _Node)
        node = child
    return root


_ROOT: Final = _build_machine()


def decode_huffman(encoded: bytes) -> bytes:
    """The octets that `encoded` stands for; raises `CompressionFault` for a bad code or bad padding."""
    decoded = bytearray()
    node = _ROOT
    for octet in encoded:
        step = node.steps[octet >> 4]
        if step is None:
            raise CompressionFault("a Huffman string holds no valid code")
        node, symbol = step
        if symbol is not None:
            decoded.append(symbol)
        step = node.steps[octet & 15]
        if step is None:
            raise CompressionFault("a Huffman string holds no valid code")
        node, symbol = step
        if symbol is not None:
            decoded.append(symbol)
    if not node.is_end:
        raise CompressionFault("a Huffman string must end in fewer than eight bits of ones")
    return bytes(decoded)
