"""How long we wait for a peer: looked at for all connections by one timer of the server.

A peer may be slow to greet, to finish a frame or header block, to bring a message, to read an answer, or
just gone; each has its limit, so that what it occupies is given back however little it sends.
"""

from serving.http2.codes import ErrorCode, StatusCode
from serving.http2.connection import Connection, Phase
from serving.http2.errors import ConnectionFault, StatusError, StreamFault

CLOSING_SECONDS = 5.0
"""How long a closed connection may take to send its last octets before it is cut off."""


def inspect(connection: Connection, now: float) -> None:
    """End whatever of `connection` has used up its patience at `now`."""
    limits = connection.service.limits
    if connection.phase is Phase.CLOSED:
        if connection.closing_at is not None and now - connection.closing_at >= CLOSING_SECONDS:
            connection.abort()
        return
    try:
        _check_greeting(connection, now)
        _check_frames(connection, now)
        _check_silence(connection, now)
        _check_bodies(connection, now)
        _check_answers(connection, now)
    except ConnectionFault as fault:
        connection.fail(fault)
        return
    if limits.max_age_seconds is not None and now - connection.opened_at >= limits.max_age_seconds:
        connection.drain()


def _check_greeting(connection: Connection, now: float) -> None:
    if now - connection.opened_at < connection.service.limits.preface_seconds:
        return
    if connection.phase is Phase.GREETING:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "the preface of HTTP/2 must come at once")
    if not connection.is_acknowledged:
        raise ConnectionFault(ErrorCode.SETTINGS_TIMEOUT, "SETTINGS must be acknowledged")


def _check_frames(connection: Connection, now: float) -> None:
    seconds = connection.service.limits.frame_seconds
    block = connection.block
    is_late = block is not None and now - block.started_at >= seconds
    if connection.reader.is_inside_frame and now - connection.frame_started_at >= seconds:
        is_late = True
    if is_late:
        raise ConnectionFault(
            ErrorCode.ENHANCE_YOUR_CALM, f"a frame or header block must be whole within {seconds:g} s"
        )


def _check_silence(connection: Connection, now: float) -> None:
    limits = connection.service.limits
    if connection.pinged_at is not None and connection.heard_at <= connection.pinged_at:
        if now - connection.pinged_at >= limits.keepalive_timeout_seconds:
            connection.abort()
    elif now - connection.heard_at >= limits.keepalive_idle_seconds:
        connection.ping(now)


def _check_bodies(connection: Connection, now: float) -> None:
    seconds = connection.service.limits.body_seconds
    for stream in list(connection.receiving.values()):
        if now - stream.opened_at < seconds:
            break
        if stream.duplex is not None:  # its caller may go on for ever; silence and the limits bound that
            continue
        stream.fail(
            StatusError(StatusCode.DEADLINE_EXCEEDED, f"a message must be whole within {seconds:g} s")
        )


def _check_answers(connection: Connection, now: float) -> None:
    for stream in connection.outbox.overdue(now - connection.service.limits.send_seconds):
        connection.reset(StreamFault(stream.stream_id, ErrorCode.CANCEL, "an answer must be read in time"))
    if connection.outbox.is_stuck(now - connection.service.limits.send_seconds):
        connection.abort()
