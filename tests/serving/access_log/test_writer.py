import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from serving.access_log import Writer
from serving.access_log.identifiers import request_id, trace_id
from serving.errors import SettingsError


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - the writer's thread tells nobody when it has written
        await asyncio.sleep(0.001)


async def test_lines_are_appended_whole_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("before\n")
    writer = Writer(str(path))
    for number in range(1000):
        writer.write(b"%d %s\n" % (number, b"x" * 200))  # more than gathers at once
    writer.close()
    lines = path.read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["before", *map(str, range(1000))]
    assert writer.dropped == 0


async def test_a_lone_line_is_written_without_another_one_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "log"
    writer = Writer(str(path))
    writer.write(b"alone\n")
    await until(lambda: path.read_text() == "alone\n")
    writer.close()


async def test_a_reader_that_stands_still_costs_lines_but_neither_time_nor_memory(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    writer = Writer(str(pipe))
    line = b"x" * 1023 + b"\n"
    for _ in range(3 * 4096):  # three times what may wait
        writer.write(line)
    assert writer.dropped > 4096
    drained = 0
    while drained < 4 << 20:  # let the thread end
        await asyncio.sleep(0)
        try:
            drained += len(os.read(reader, 1 << 20))
        except BlockingIOError:
            writer.flush()
    writer.close()
    os.close(reader)


async def test_a_pipe_whose_reader_is_gone_loses_lines_and_nothing_else(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    writer = Writer(str(pipe))
    os.close(reader)
    writer.write(b"one\ntwo\n")
    writer.flush()
    await until(lambda: writer.dropped == 2)
    writer.close()


def test_a_file_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"expected an access_log that can be written at .*No such file"):
        Writer(str(tmp_path / "nowhere" / "log"))


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("a", "a"),
        ("A.b_c-9", "A.b_c-9"),
        ("x" * 64, "x" * 64),
        ("x" * 65, None),
        ("", None),
        ("a b", None),
        ("-a", None),
        ("ü", None),
    ],
)
def test_an_id_is_read_only_if_it_is_one(sent: str, read: str | None) -> None:
    assert request_id({"x-request-id": sent}) == read


TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (f"00-{TRACE}-{SPAN}-01", TRACE),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"ff-{TRACE}-{SPAN}-01", None),
        (f"00-{TRACE.upper()}-{SPAN}-01", None),
        (f"00-{TRACE}-{SPAN}-01-more", None),
        ("", None),
    ],
)
def test_a_trace_is_read_only_if_it_is_one(sent: str, read: str | None) -> None:
    assert trace_id({"traceparent": sent}) == read
