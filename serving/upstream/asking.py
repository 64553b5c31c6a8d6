"""One request on its way to the upstream and back."""

from collections.abc import Callable

from serving.errors import ServingError
from serving.http1 import Response
from serving.upstream.connection import UpstreamConnection

Told = Callable[[Response | None, ServingError | None], None]
"""Told once: the response, or why there is none."""


class Asking:
    """A request, who is told of its response, and the connection that it is on.

    `left` is called when it is over, whichever way.
    """

    __slots__ = (
        "_left",
        "_told",
        "body",
        "connection",
        "deadline",
        "head",
        "is_head",
        "is_second_try",
    )

    def __init__(
        self,
        head: bytes,
        body: bytes,
        told: Told,
        left: Callable[["Asking"], None],
        *,
        deadline: float,
        is_head: bool,
    ) -> None:
        self.head = head
        self.body = body
        self.deadline = deadline
        self.is_head = is_head
        self.is_second_try = False
        self.connection: UpstreamConnection | None = None
        self._told: Told | None = told
        self._left = left

    def answer(self, response: Response) -> None:
        told = self._leave()
        if told is not None:
            told(response, None)

    def fail(self, error: ServingError) -> None:
        told = self._leave()
        if told is not None:
            told(None, error)

    def cancel(self) -> None:
        """Nobody waits any more, and nobody is told."""
        self._leave()

    @property
    def is_over(self) -> bool:
        return self._told is None

    def _leave(self) -> Told | None:
        # Forgotten with the rest, since who is told knows how to cancel: else each request would leave a cycle.
        told, self._told = self._told, None
        if told is not None:
            self._left(self)
            connection, self.connection = self.connection, None
            if connection is not None:
                connection.give_up()
        return told
