"""Waiting within bounds, where there is anything to wait for: what is there at once needs no timer.

Most of what is awaited here is done when it is asked for: a body that came with its head, a query
that is answered from memory. So a coroutine is begun first, and only what then waits is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from contextlib import AbstractAsyncContextManager
from types import coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def bounded(
    work: Coroutine[Any, Any, T], bound: Callable[[], AbstractAsyncContextManager[object]]
) -> T:
    """Return what some work comes to; if it has to wait, inside what ``bound`` returns."""
    try:
        awaited = work.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    try:
        async with bound():
            return await _goes_on(work, awaited)
    finally:
        work.close()  # which does nothing, unless the bound could not be set


@coroutine
def _goes_on(work: Coroutine[Any, Any, T], awaited: object) -> Generator[Any, Any, T]:
    """Go on with work that was begun and waits: hand on what it waits for, and what comes of it."""
    try:
        while True:
            try:
                found = yield awaited
            except GeneratorExit:
                work.close()
                raise
            except BaseException as wrong:  # noqa: BLE001 - it is the work's to raise
                awaited = work.throw(wrong)
            else:
                awaited = work.send(found)
    except StopIteration as done:
        value: T = done.value
        return value
