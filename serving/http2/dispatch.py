"""From a whole message to its answer: calls the handler, and turns every way to end into one of the stream.

This is the outermost place that a handler's exception reaches: it is logged with its trace here, and the
caller learns only that something failed.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final

from serving.http2.calls import LATER
from serving.http2.codes import StatusCode
from serving.http2.errors import StatusError
from serving.http2.service import Service
from serving.http2.streams import Stream

logger = logging.getLogger(__name__)

FAILED: Final = StatusError(StatusCode.UNKNOWN, "the server failed while answering; its log has the cause")


def dispatch(service: Service, stream: Stream, message: bytes) -> None:
    """Hand `message` to the handler of `stream`, which is answered now or later."""
    try:
        answer = stream.handler(message, stream)
    except StatusError as error:
        stream.fail(error)
    except Exception as error:  # noqa: BLE001 - the outermost place, see the module
        _fail(stream, error)
    else:
        if type(answer) is bytes:
            stream.answer(answer)
        elif answer is not LATER:
            _start(service, stream, answer)


def _start(service: Service, stream: Stream, answer: object) -> None:
    if not asyncio.iscoroutine(answer):
        logger.error("%s must return bytes, a coroutine or LATER, got %s", stream.path, type(answer).__name__)
        stream.fail(FAILED)
        return
    task = service.loop.create_task(_finish(stream, answer))
    service.tasks.add(task)
    task.add_done_callback(service.tasks.discard)
    # A task that is cancelled before its first step never awaits the coroutine it was given.
    task.add_done_callback(lambda _: answer.close())
    stream.on_cancel(task.cancel)


async def _finish(stream: Stream, answer: Coroutine[Any, Any, bytes]) -> None:
    try:
        stream.answer(await answer)
    except StatusError as error:
        stream.fail(error)
    except asyncio.CancelledError:
        # Nobody waits any more, or something inside gave up without saying so; the caller must not wait for it.
        stream.fail(StatusError(StatusCode.CANCELLED, "the server gave the call up"))
        raise
    except Exception as error:  # noqa: BLE001 - the outermost place, see the module
        _fail(stream, error)


def _fail(stream: Stream, error: Exception) -> None:
    logger.error("the handler of %s failed", stream.path, exc_info=error)
    stream.fail(FAILED)
