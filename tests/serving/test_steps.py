import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from serving.steps import Steps


class Ending:
    """What became of a coroutine."""

    def __init__(self) -> None:
        self.results: list[tuple[object, BaseException | None]] = []

    def __call__(self, result: object, error: BaseException | None) -> None:
        self.results.append((result, error))


def run(coroutine: Coroutine[Any, None, object]) -> tuple[Steps[object], Ending]:
    ending = Ending()
    return Steps(coroutine, ending), ending


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_need_not_wait_is_finished_at_once() -> None:
    async def answer() -> str:
        return "done"

    assert run(answer())[1].results == [("done", None)]


async def test_a_future_is_waited_for() -> None:
    future: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def answer() -> str:
        return await future + await future

    _, ending = run(answer())
    assert ending.results == []
    future.set_result("x")
    await settle()
    assert ending.results == [("xx", None)]


async def test_a_bare_turn_of_the_loop_is_waited_for() -> None:
    async def answer() -> str:
        await asyncio.sleep(0)
        return "done"

    _, ending = run(answer())
    assert ending.results == []
    await settle()
    assert ending.results == [("done", None)]


async def test_several_futures_can_be_gathered() -> None:
    loop = asyncio.get_running_loop()
    futures: list[asyncio.Future[int]] = [loop.create_future() for _ in range(3)]

    async def answer() -> list[int]:
        return await asyncio.gather(*futures)

    _, ending = run(answer())
    for number, future in enumerate(futures):
        future.set_result(number)
    await settle()
    assert ending.results == [([0, 1, 2], None)]


@pytest.mark.parametrize("waits", [False, True])
async def test_an_exception_is_handed_on(waits: bool) -> None:
    async def answer() -> None:
        if waits:
            await asyncio.sleep(0)
        raise ValueError("wrong")

    _, ending = run(answer())
    await settle()
    ((result, error),) = ending.results
    assert result is None
    assert isinstance(error, ValueError)


async def test_a_failed_future_fails_the_coroutine() -> None:
    future: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def answer() -> str:
        try:
            return await future
        except ValueError as error:
            return f"caught {error}"

    _, ending = run(answer())
    future.set_exception(ValueError("wrong"))
    await settle()
    assert ending.results == [("caught wrong", None)]


async def test_a_cancelled_coroutine_may_clean_up() -> None:
    cleaned = []

    async def answer() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            cleaned.append(True)

    steps, ending = run(answer())
    steps.cancel()
    await settle()
    ((_, error),) = ending.results
    assert isinstance(error, asyncio.CancelledError)
    assert cleaned == [True]


async def test_cancelling_what_has_finished_does_nothing() -> None:
    async def answer() -> str:
        return "done"

    steps, ending = run(answer())
    steps.cancel()
    await settle()
    assert ending.results == [("done", None)]
