"""A client that counts what it is not answered."""

import threading
import urllib.request
from typing import Self


class Questions:
    """One client that asks the same question over and over, each time on a new connection, until it is told to stop."""

    def __init__(self, url: str, body: bytes) -> None:
        self.url, self.body = url, body
        self.answered = 0
        self.failures: list[str] = []
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._ask)

    def _ask(self) -> None:
        while not self.stopped.wait(0.05):
            try:
                with urllib.request.urlopen(
                    urllib.request.Request(self.url, self.body), timeout=10
                ) as answer:
                    answer.read()
                self.answered += 1
            except OSError as error:
                self.failures.append(repr(error))

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.thread.join()
