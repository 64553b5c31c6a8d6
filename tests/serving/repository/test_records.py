import struct
from pathlib import Path

import pytest

from serving.errors import ModelError
from serving.repository.records import masked_crc32c, read_records


def record(content: bytes) -> bytes:
    header = struct.pack("<Q", len(content))
    return (
        header
        + struct.pack("<I", masked_crc32c(header))
        + content
        + struct.pack("<I", masked_crc32c(content))
    )


def read(folder: Path, content: bytes) -> list[bytes]:
    (folder / "file").write_bytes(content)
    return list(read_records(folder / "file"))


def test_records_are_read_in_order(tmp_path: Path) -> None:
    contents = [b"", b"a", b"b" * 100_000]
    assert read(tmp_path, b"".join(map(record, contents))) == contents


def test_an_empty_file_has_none(tmp_path: Path) -> None:
    assert read(tmp_path, b"") == []


@pytest.mark.parametrize("cut", [1, 11, 12, 14, 16])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, cut: int) -> None:
    with pytest.raises(ModelError, match="expected a TFRecord at byte 17 of"):
        read(tmp_path, record(b"a") + record(b"b")[:cut])


def test_a_length_that_is_not_what_was_written_is_refused(tmp_path: Path) -> None:
    broken = bytearray(record(b"a"))
    broken[0] = 2
    with pytest.raises(ModelError, match="at byte 0"):
        read(tmp_path, bytes(broken) + b"x")


@pytest.mark.tensorflow
def test_what_tensorflow_writes_is_read(tmp_path: Path) -> None:
    import tensorflow as tf

    contents = [b"one", b"", b"three" * 1000]
    with tf.io.TFRecordWriter(str(tmp_path / "file")) as writer:
        for content in contents:
            writer.write(content)
    assert list(read_records(tmp_path / "file")) == contents
