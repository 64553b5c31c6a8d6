"""One request on its way to the upstream and back."""

import asyncio

from serving.errors import ServingError
from serving.http1 import Response
from serving.upstream.connection import UpstreamConnection


class Asking:
    """A request, who waits for its response, and the connection that it is on."""

    __slots__ = ("body", "connection", "deadline", "done", "head", "is_head", "is_second_try")

    def __init__(
        self, head: bytes, body: bytes, done: "asyncio.Future[Response]", *, deadline: float, is_head: bool
    ) -> None:
        self.head = head
        self.body = body
        self.done = done
        self.deadline = deadline
        self.is_head = is_head
        self.is_second_try = False
        self.connection: UpstreamConnection | None = None

    def answer(self, response: Response) -> None:
        if not self.done.done():
            self.done.set_result(response)

    def fail(self, error: ServingError) -> None:
        if not self.done.done():
            self.done.set_exception(error)

    def give_up(self) -> None:
        """Leave the connection that it is still on."""
        if self.connection is not None:
            self.connection.give_up()
            self.connection = None
