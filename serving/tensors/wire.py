"""The few bytes of protobuf's wire format that are worth writing by hand (protobuf.dev, Encoding)."""


def varint(value: int) -> bytes:
    """`value` (0 or more) in base 128, lowest group first."""
    if value < 0x80:
        return bytes((value,))
    groups = bytearray()
    while value >= 0x80:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def varint_field(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def length_delimited(number: int, content: bytes) -> bytes:
    return b"".join((varint(number << 3 | 2), varint(len(content)), content))
