"""Whether a partner may be called now: its breaker, the rest it asked for, its rate.

The hub's processes share this through the board. Each keeps a copy of its own and acts by that;
only a probe and a token are asked for at the board.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from connectors import board, breaker, bucket, errors

#: A token that comes later than this before the deadline comes too late for an answer.
ANSWER_SECONDS = 0.1

#: What a caller is told of a partner that asked to be left alone.
RESTS = {
    errors.Problem.BUSY: "The partner is busy and asks to be left alone a while.",
    errors.Problem.RATE_LIMITED: "The partner was called as often as it lets the hub call it.",
}
#: Problems that say the partner, or the way to it, is unwell; the others prove that it lives.
_UNWELL = frozenset(
    {
        errors.Problem.TIMEOUT,
        errors.Problem.UNREACHABLE,
        errors.Problem.UNWELL,
        errors.Problem.TOO_LARGE,
    }
)
#: Problems of the way to it, found before the partner was sent anything: they say nothing of it.
_UNSENT = frozenset({errors.Problem.FORBIDDEN_ADDRESS, errors.Problem.MISCONFIGURED})
_log = logging.getLogger("greenway.connectors")


class Held(errors.Retriable):
    """A call that the hub itself held back: nothing was learned of the partner."""


class Gate:
    """The gate before one partner, for all calls of this process."""

    def __init__(
        self,
        slug: str,
        partner_breaker: breaker.Breaker,
        partner_bucket: bucket.Bucket | None,
        sheet: Callable[[board.Hear], board.Sheet],
    ) -> None:
        self.breaker = partner_breaker
        self._slug = slug
        self._bucket = partner_bucket
        self._rest_ends = 0.0
        self._rest_problem = errors.Problem.BUSY
        self._sheet = sheet(self._hear)

    @property
    def rest_seconds(self) -> float:
        """How long the partner asked to be left alone from now, at least 0."""
        return max(0.0, self._rest_ends - _now())

    def check(self) -> None:
        """Let a call pass while the partner does not rest.

        Raises:
            Held: it rests.
        """
        if (wait := self.rest_seconds) > 0:
            raise Held(self._rest_problem, RESTS[self._rest_problem], wait)
        if (wait := self.breaker.wait(_now())) > 0:
            raise _resting(wait)

    async def enter(self, lasts: float) -> int:
        """Let a call begin, and return its turn at the breaker: of all processes one probes.

        Args:
            lasts: The most seconds that the call takes.

        Raises:
            Held: the partner rests, or somebody else probes it.
        """
        self.check()
        turn = self.breaker.begin()
        if turn:
            try:
                wait = await self._sheet.probe(lasts)
            except asyncio.CancelledError:
                self.abandoned(turn)
                raise
            if wait > 0:
                self.breaker.abandoned(turn)
                raise _resting(wait)
        return turn

    async def token(self, deadline: float) -> None:
        """Wait for the token of one request, where the partner's rate is limited.

        Raises:
            Held: it would not be there in time before the deadline.
        """
        if self._bucket is None:
            return
        patience = deadline - _now() - ANSWER_SECONDS
        wait = await self._sheet.take(self._bucket.per_second, self._bucket.burst, patience)
        if wait is None:
            wait = self._bucket.take(_now(), patience)
        elif wait <= patience:
            # So that a board that goes away leaves no bucket that is full again.
            self._bucket.take(_now(), patience)
        if wait > patience:
            problem = errors.Problem.RATE_LIMITED
            raise Held(problem, "The hub may call this partner no more often.", wait)
        if wait > 0:
            await asyncio.sleep(wait)

    def rest(self, seconds: float, problem: errors.Problem) -> None:
        """Leave the partner alone for so long, as it asks: BUSY, or RATE_LIMITED."""
        self._rest(seconds, problem)
        self._sheet.rests(seconds, problem)

    def succeeded(self) -> None:
        """Note that a call came to an end that shows that the partner lives."""
        if self.breaker.opened_at is not None:
            _log.warning("%s is back", self._slug)
            self._sheet.closed()
        self.breaker.succeeded()

    def failed(self, failure: errors.PartnerError, turn: int) -> None:
        """Note how a call failed, and tell by it when another one may be made."""
        if isinstance(failure, Held) or failure.problem in _UNSENT:
            self.abandoned(turn)
        elif failure.problem not in _UNWELL:
            self.succeeded()
        else:
            self._unwell(failure, turn)

    def abandoned(self, turn: int) -> None:
        """Note that a call was given up without learning anything; a turn to probe goes back."""
        self.breaker.abandoned(turn)
        if turn:
            self._sheet.released()

    def _unwell(self, failure: errors.PartnerError, turn: int) -> None:
        now, opened_before = _now(), self.breaker.opened_at
        self.breaker.failed(now, turn)
        wait = self.breaker.wait(now)
        if failure.retry_after_seconds is not None:
            failure.retry_after_seconds = max(failure.retry_after_seconds, wait)
        if self.breaker.opened_at != opened_before:
            self._sheet.opened(wait)
            if opened_before is None:
                _log.warning("%s rests for %g s: %s", self._slug, wait, failure.problem)

    def _rest(self, seconds: float, problem: errors.Problem) -> None:
        # What a later answer asks for never shortens what an earlier one did.
        ends = _now() + seconds
        if ends > self._rest_ends:
            self._rest_ends, self._rest_problem = ends, problem

    def _hear(self, news: board.News) -> None:
        match news:
            case board.Opened(seconds):
                self.breaker.told_open(_now(), seconds)
            case board.Closed():
                self.breaker.succeeded()
            case board.Rests(seconds, problem):
                self._rest(seconds, errors.Problem(problem))


def _now() -> float:
    return asyncio.get_running_loop().time()


def _resting(wait: float) -> Held:
    return Held(
        errors.Problem.RESTING,
        "This partner failed several times in a row and is left to rest.",
        wait,
    )
