"""A client of single frames, written with other people's libraries: hyperframe for frames, hpack for headers."""

import asyncio
import struct
from collections.abc import Sequence
from typing import Any, Self

import hpack
from hyperframe.frame import DataFrame, Frame, HeadersFrame, PingFrame, SettingsFrame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
CALL_FIELDS = (
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/test.Echo/Say"),
    (":authority", "localhost"),
    ("te", "trailers"),
    ("content-type", "application/grpc"),
)


def replaced(fields: Sequence[tuple[str, str]] = CALL_FIELDS, **changes: str | None) -> list[tuple[str, str]]:
    """`fields` with some replaced, removed (None) or added; `_` stands for `-`, a leading `_` for `:`."""
    names = {
        (":" + name[1:] if name.startswith("_") else name).replace("_", "-"): value
        for name, value in changes.items()
    }
    kept = [(name, names.pop(name, value)) for name, value in fields]
    return [(name, value) for name, value in [*kept, *names.items()] if value is not None]


def prefixed(message: bytes, *, flag: int = 0, length: int | None = None) -> bytes:
    return struct.pack(">BI", flag, len(message) if length is None else length) + message


def data_frames(stream_id: int, body: bytes) -> list[DataFrame]:
    """`body` in the largest frames that every server takes, the last one with END_STREAM."""
    frames = [DataFrame(stream_id, body[start : start + 16_384]) for start in range(0, len(body), 16_384)]
    frames[-1].flags.add("END_STREAM")
    return frames


class Peer:
    """One raw connection to the server under test."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.encoder = hpack.Encoder()
        self.decoder = hpack.Decoder()

    @classmethod
    async def connect(cls, port: int, **options: Any) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port, **options))

    @classmethod
    async def greet(cls, port: int, settings: dict[int, int] | None = None, **options: Any) -> Self:
        """A connection on which calls can be made."""
        peer = await cls.connect(port, **options)
        peer.send(PREFACE, SettingsFrame(settings=settings or {}), SettingsFrame(flags=["ACK"]))
        await peer.expect(SettingsFrame, flag="ACK")
        return peer

    def send(self, *parts: bytes | Frame) -> None:
        self.writer.write(b"".join(part.serialize() if isinstance(part, Frame) else part for part in parts))

    def headers(
        self,
        stream_id: int = 1,
        fields: Sequence[tuple[str, str]] = CALL_FIELDS,
        flags: Sequence[str] = ("END_HEADERS",),
    ) -> HeadersFrame:
        return HeadersFrame(stream_id, self.encoder.encode(fields), flags=flags)

    def call(self, stream_id: int = 1, message: bytes = b"hello", **changes: str | None) -> None:
        """A whole call."""
        self.send(self.headers(stream_id, replaced(**changes)), *data_frames(stream_id, prefixed(message)))

    async def receive(self) -> Frame | None:
        """The next frame, or None at the end of the connection."""
        try:
            async with asyncio.timeout(10):
                head = await self.reader.readexactly(9)
                frame, length = Frame.parse_frame_header(memoryview(head))
                frame.parse_body(memoryview(await self.reader.readexactly(length)))
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return None
        if isinstance(frame, HeadersFrame):
            frame.fields = dict(self.decoder.decode(frame.data))
        return frame

    async def expect(
        self, kind: type[Frame], *, stream_id: int | None = None, flag: str | None = None
    ) -> Any:
        """The next frame of `kind`; whatever comes before it is skipped."""
        skipped = []
        while (frame := await self.receive()) is not None:
            fits = isinstance(frame, kind) and stream_id in (None, frame.stream_id)
            if fits and (flag is None or flag in frame.flags):
                return frame
            skipped.append(frame)
        raise AssertionError(f"expected {kind.__name__}, got {skipped} and the end of the connection")

    async def status(self, stream_id: int = 1) -> tuple[str, str]:
        """How a call ended: `grpc-status` and `grpc-message`."""
        frame = await self.expect(HeadersFrame, stream_id=stream_id, flag="END_STREAM")
        return frame.fields["grpc-status"], frame.fields.get("grpc-message", "")

    async def answer(self, stream_id: int = 1) -> bytes:
        """The message of a call that ends well, with its prefix taken off."""
        body = b""
        while (frame := await self.receive()) is not None:
            if frame.stream_id != stream_id:
                continue
            if isinstance(frame, DataFrame):
                body += frame.data
            elif "END_STREAM" in frame.flags:
                assert frame.fields["grpc-status"] == "0"
                return body[5:]
        raise AssertionError("expected an answer, got the end of the connection")

    async def settle(self) -> None:
        """Return once the server has handled everything that was sent."""
        self.send(PingFrame(opaque_data=b"settled?"))
        while True:
            ping = await self.expect(PingFrame, flag="ACK")
            if ping.opaque_data == b"settled?":
                return

    async def at_end(self) -> bool:
        """Whether the server has closed the connection; waits for it."""
        while await self.receive() is not None:
            pass
        return True

    async def close(self) -> None:
        self.writer.transport.abort()
