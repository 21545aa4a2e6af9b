"""Gaps: what is still waited for in a text that is there already, and how it is filled in.

A compiled selection puts a mark where a field has to wait, and goes on. Once all else is written,
what is waited for is awaited side by side, and each comes to a text of its own, which may have gaps
again. What resolvers returned is remembered by its path: where the plan must run the selection
again after all, none that has begun to wait is called twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from inspect import CORO_CREATED, getcoroutinestate
from types import CoroutineType
from typing import Any

from graphql.pyutils import Path, Undefined
from strawberry.execution.is_awaitable import optimized_is_awaitable

from models import turns
from resolvers.pending import Pending

#: A path, each step with those before it; None for the root.
Steps = tuple[Any, str | int] | None
#: Makes of a value, in a place of this path, the text that it comes to.
Fill = Callable[[Any, Steps], str]
#: No JSON has it, not even in a text.
_MARK = "\0"


class UnusualError(Exception):
    """Something that is not as the common case has it."""


class _Gap:
    """A place whose value is waited for, and what has come of it."""

    __slots__ = ("awaited", "fill", "gaps", "path", "text")

    def __init__(self, awaited: Any, fill: Fill, path: Steps) -> None:  # noqa: ANN401 - of any sort
        self.awaited: Any = awaited
        self.fill = fill
        self.path = path
        self.text = ""
        self.gaps: Sequence[_Gap] = ()


class _Group:
    """Gaps that wait for the same, and how much of that has not come."""

    __slots__ = ("gaps", "left")

    def __init__(self, gaps: Sequence[_Gap], left: int) -> None:
        self.gaps = gaps
        self.left = left


class Waits:
    """What one run waits for."""

    __slots__ = (
        "_awaited",
        "_come",
        "_gaps",
        "_met",
        "_open",
        "_over",
        "_running",
        "_shared",
        "_tasks",
        "_unready",
    )

    def __init__(self) -> None:
        self._gaps: list[_Gap] = []
        #: What resolvers returned, by path, or what came of that when awaited. What is pending
        #: is not among it: it is asked for once, however often its resolver is called.
        self._met: dict[Steps, Any] = {}
        #: The paths of the latter.
        self._awaited: set[Steps] = set()
        #: What was begun here; what others have begun may be theirs as well.
        self._tasks: set[asyncio.Future[Any]] = set()
        #: What several gaps wait for.
        self._shared: dict[asyncio.Future[Any], list[_Group]] = {}
        #: What the last of them waits for: most that follow it wait for the same.
        self._unready: tuple[asyncio.Future[Any], ...] | None = None
        #: What has come and is not written yet.
        self._come: list[_Gap] = []
        self._open = 0
        #: Of the open ones those in which more may be read or asked.
        self._running = 0
        self._over: asyncio.Future[None] | None = None

    def __bool__(self) -> bool:
        return bool(self._gaps)

    def put(self, value: Any, fill: Fill, path: Steps) -> str:  # noqa: ANN401 - what a resolver returned
        """Return the text of a value, or the mark of its gap where it has to be waited for."""
        if type(value) is Pending:
            if value.until is not self._unready:
                if value.is_ready():
                    return fill(value.value(), path)
                self._unready = value.until
        else:
            self._met[path] = value
            if type(value) is not CoroutineType and not optimized_is_awaitable(value):
                return fill(value, path)
        self._gaps.append(_Gap(value, fill, path))
        return f"{_MARK}{len(self._gaps) - 1}{_MARK}"

    async def filled(self, text: str) -> str:
        """Return a text whose gaps are those that were put last, all filled in.

        Raises:
            Exception: what came of one is not what it should be; others may be awaited yet.
        """
        gaps, self._gaps = self._gaps, []
        open_: Sequence[_Gap] = gaps
        if len(gaps) == 1:
            await self._alone(gaps[0])
            open_ = gaps[0].gaps
        if open_:
            await self._beside(open_)
        return _whole(text, gaps)

    def again(self, path: Path | None, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - what a resolver returns
        """Return once more what the resolver at a path returned, or what a call of it returns now.

        What was awaited is to be awaited again, so that all comes in the order in which it came.
        """
        if not self._met:
            return call()
        steps = _steps(path)
        found = self._met.pop(steps, Undefined)
        if steps in self._awaited:
            self._awaited.remove(steps)
            return _given(found)
        if isinstance(found, asyncio.Future):
            return _still(found, call)
        if type(found) is CoroutineType:
            # It has not begun, and was told less than the plan can tell.
            found.close()
            return call()
        return call() if found is Undefined else found

    def drop(self) -> None:
        """Forget what has not begun and will not be awaited."""
        for found in self._met.values():
            if type(found) is CoroutineType and getcoroutinestate(found) == CORO_CREATED:
                found.close()
        self._met.clear()

    async def end(self) -> None:
        """Let nothing run that nobody waits for any more."""
        self.drop()
        left = list(self._tasks)
        for one in left:
            one.cancel()
        if left:
            await asyncio.gather(*left, return_exceptions=True)

    async def _alone(self, gap: _Gap) -> None:
        """Fill in a gap beside which there is none: that takes no task."""
        if type(gap.awaited) is Pending:
            gap.awaited.hurry()
        try:
            value = await gap.awaited
        except UnusualError:
            # Its resolver asked for more than it was told, and is to be asked again.
            self._met.pop(gap.path, None)
            raise
        except Exception as wrong:
            self._awaited.add(gap.path)
            self._met[gap.path] = wrong
            raise
        self._awaited.add(gap.path)
        self._met[gap.path] = value
        gap.text = gap.fill(value, gap.path)
        gap.gaps, self._gaps = self._gaps, []

    async def _beside(self, gaps: Sequence[_Gap]) -> None:
        """Fill in gaps, and those inside them, each as soon as what it waits for has come."""
        self._over = asyncio.get_running_loop().create_future()
        self._begin(gaps)
        await self._over

    def _begin(self, gaps: Sequence[_Gap]) -> None:
        self._open += len(gaps)
        pending: dict[tuple[asyncio.Future[Any], ...], list[_Gap]] = {}
        for gap in gaps:
            if type(gap.awaited) is Pending:
                pending.setdefault(gap.awaited.until, []).append(gap)
                continue
            awaited = asyncio.ensure_future(gap.awaited)
            if awaited is not gap.awaited:
                self._tasks.add(awaited)
            self._met[gap.path] = awaited
            awaited.add_done_callback(partial(self._ended, gap))
            self._running += 1
        for until, several in pending.items():
            self._pend(until, several)
        if not self._running:
            for hurry in {gap.awaited.hurry for gap in gaps}:
                hurry()

    def _pend(self, until: Sequence[asyncio.Future[Any]], gaps: Sequence[_Gap]) -> None:
        """Wait for what others wait for as well: that takes no task for each."""
        left = [one for one in until if not one.done()]
        if not left:
            self._queue(gaps)
            return
        group = _Group(gaps, len(left))
        for one in left:
            if one not in self._shared:
                self._shared[one] = []
                one.add_done_callback(self._shared_ended)
            self._shared[one].append(group)

    def _shared_ended(self, one: asyncio.Future[Any]) -> None:
        for group in self._shared.pop(one):
            group.left -= 1
            if not group.left:
                self._queue(group.gaps)

    def _queue(self, gaps: Sequence[_Gap]) -> None:
        if not self._come:
            turns.put(self._write)
        self._come += gaps

    def _write(self) -> None:
        come, self._come = self._come, []
        for gap in come:
            self._came(gap, gap.awaited.value)

    def _ended(self, gap: _Gap, awaited: asyncio.Future[Any]) -> None:
        self._running -= 1
        self._tasks.discard(awaited)
        if not awaited.cancelled():
            # It is told of, if anybody still listens.
            awaited.exception()
        self._came(gap, awaited.result)

    def _came(self, gap: _Gap, value: Callable[[], Any]) -> None:
        self._open -= 1
        over = self._over
        if over is None or over.done():
            return
        try:
            gap.text = gap.fill(value(), gap.path)
            if self._gaps:
                gap.gaps, self._gaps = self._gaps, []
                self._begin(gap.gaps)
        except (Exception, asyncio.CancelledError) as wrong:  # noqa: BLE001 - it is told to whoever waits
            over.set_exception(wrong)
        else:
            if not self._open:
                over.set_result(None)


def _whole(text: str, gaps: Sequence[_Gap]) -> str:
    pieces = text.split(_MARK)
    for place in range(1, len(pieces), 2):
        gap = gaps[int(pieces[place])]
        pieces[place] = _whole(gap.text, gap.gaps) if gap.gaps else gap.text
    return "".join(pieces)


async def _given(found: Any) -> Any:  # noqa: ANN401 - what a resolver returned
    if isinstance(found, Exception):
        raise found
    return found


async def _still(awaited: asyncio.Future[Any], call: Callable[[], Any]) -> Any:  # noqa: ANN401 - what a resolver returns
    try:
        return await awaited
    except UnusualError:
        # Its resolver asked for more than it was told.
        found = call()
        return await found if optimized_is_awaitable(found) else found


def path_of(steps: tuple[Any, str | int]) -> Path:
    """Return steps as a path of graphql-core's."""
    above, last = steps
    return Path(path_of(above) if above else None, last, None)


def _steps(path: Path | None) -> Steps:
    return None if path is None else (_steps(path.prev), path.key)
