"""SavedModels written by hand, byte by byte, for tests: honest ones and hostile ones, without TensorFlow."""

from __future__ import annotations

from pathlib import Path

Fields = tuple[int, "int | bytes | str"]


def varint(value: int) -> bytes:
    value %= 1 << 64
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def message(*fields: Fields) -> bytes:
    out = bytearray()
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            content = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(content)) + content
    return bytes(out)


def shape(*axes: int | None) -> bytes:
    return message(*((2, message((1, -1 if axis is None else axis))) for axis in axes))


def attribute(key: str, *value: Fields) -> Fields:
    return 5, message((1, key), (2, message(*value)))


def call(function: str) -> Fields:
    return attribute("f", (10, message((1, function))))


def node(name: str, op: str, *inputs: str, attributes: tuple[Fields, ...] = ()) -> bytes:
    return message((1, name), (2, op), *((3, each) for each in inputs), *attributes)


def constant(name: str, dtype: int, axes: tuple[int, ...], content: bytes) -> bytes:
    tensor = message((1, dtype), (2, shape(*axes)), (4, content))
    return node(name, "Const", attributes=(attribute("dtype", (6, dtype)), attribute("value", (8, tensor))))


def function(name: str, *nodes: bytes, arguments: tuple[str, ...] = ()) -> bytes:
    signature = message((1, name), *((2, message((1, each), (3, 7))) for each in arguments))
    return message((1, signature), *((3, each) for each in nodes))


def graph(*nodes: bytes, functions: tuple[bytes, ...] = ()) -> bytes:
    library = message(*((1, each) for each in functions))
    return message(*((1, each) for each in nodes), (2, library))


def tensor_info(tensor: str, dtype: int, *axes: int | None) -> bytes:
    return message((1, tensor), (2, dtype), (3, shape(*axes)))


def signature(
    name: str,
    inputs: dict[str, bytes],
    outputs: dict[str, bytes],
    method: str = "tensorflow/serving/predict",
    defaults: dict[str, bytes] | None = None,
) -> Fields:
    sides = (
        (number, message((1, alias), (2, info)))
        for number, side in ((1, inputs), (2, outputs), (4, defaults or {}))
        for alias, info in side.items()
    )
    return 5, message((1, name), (2, message(*sides, (3, method))))


def collection(name: str, *values: str) -> Fields:
    return 4, message((1, name), (2, message((1, message(*((1, each) for each in values))))))


def asset(tensor: str, filename: str) -> Fields:
    return 6, message((1, message((1, tensor))), (2, filename))


def restore_op(name: str) -> Fields:
    return 3, message((1, "save/Const:0"), (2, "save/Identity:0"), (3, name))


def saved_model(*fields: Fields, tags: tuple[str, ...] = ("serve",), version: str = "2.21.0") -> bytes:
    info = message(*((4, each) for each in tags), (5, version))
    return message((1, 1), (2, message((1, info), *fields)))


def doubling(*extra: bytes, weight: bytes = b"\0\0\0\x40", functions: tuple[bytes, ...] = ()) -> bytes:
    """`scores = image * 2`, with room for other nodes, as a whole SavedModel."""
    nodes = (
        node(
            "image",
            "Placeholder",
            attributes=(attribute("dtype", (6, 1)), attribute("shape", (7, shape(None, 4)))),
        ),
        constant("two", 1, (), weight),
        node("scores", "Mul", "image", "two"),
    )
    asked = signature(
        "serving_default",
        {"image": tensor_info("image:0", 1, None, 4)},
        {"scores": tensor_info("scores:0", 1, None, 4)},
    )
    return saved_model((2, graph(*nodes, *extra, functions=functions)), asked)


def write(folder: Path, content: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "saved_model.pb").write_bytes(content)
    return folder
