"""How far a partner's line can be leaned on, worked out from evidence alone: bronze to platinum.

What a file shows by itself is worked out once for each version of it; how the partner has answered
lately is asked each time. A grade has all that the grades below it have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from connectors import base, breaker, discretion, errors, manifest, proof

#: Before so many asks nobody knows how often a partner fails.
ASKS = 20
#: Before so many nobody knows it well.
MANY_ASKS = 100
#: The most of the latest asks that may be in vain, as a share, for gold and for platinum.
GOLD_ERROR_RATE = 0.05
PLATINUM_ERROR_RATE = 0.01
#: The most of its own deadline that a partner may take nearly always (95 of 100), as a share.
DEADLINE_SHARE = 0.5

#: Problems of a partner that answers otherwise than its file expects.
DRIFTED = frozenset(
    {
        errors.Problem.NO_CONTENT,
        errors.Problem.WRONG_TYPE,
        errors.Problem.UNREADABLE,
        errors.Problem.BAD_ANSWER,
    }
)


class Grade(StrEnum):
    """The grades, the lowest first."""

    BRONZE = "BRONZE"
    SILVER = "SILVER"
    GOLD = "GOLD"
    PLATINUM = "PLATINUM"


class Criterion(StrEnum):
    """What counts: the closed list, also in docs/querying.md."""

    VALID_FILE = "VALID_FILE"
    EXAMPLES_HOLD = "EXAMPLES_HOLD"
    RECORDINGS_CLEAN = "RECORDINGS_CLEAN"
    ALL_SHOWN = "ALL_SHOWN"
    FAILURES_SHOWN = "FAILURES_SHOWN"
    SELDOM_FAILS = "SELDOM_FAILS"
    FAST = "FAST"
    NO_DRIFT = "NO_DRIFT"
    STEADY = "STEADY"


@dataclass(frozen=True, slots=True)
class Reason:
    """One piece of evidence, for or against: ``sentence`` says what was found."""

    criterion: Criterion
    grade: Grade
    is_met: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Lately:
    """How a partner has answered: the problems of its latest asks, None where there was none.

    ``p95_seconds`` is of its latest exchanges, None before the first.
    """

    problems: Sequence[errors.Problem | None]
    p95_seconds: float | None
    breaker: breaker.State


def error_rate(problems: Collection[errors.Problem | None]) -> float | None:
    """Return the share of asks that were in vain; None of none."""
    return sum(map(bool, problems)) / len(problems) if problems else None


def reached(reasons: Sequence[Reason]) -> Grade:
    """Return the highest grade for which nothing is missing, nor for one below it."""
    found = Grade.BRONZE
    for grade in Grade:
        if not all(one.is_met for one in reasons if one.grade is grade):
            break
        found = grade
    return found


def of_refused(mistakes: int) -> Reason:
    """Return what the newest file says: with mistakes, the one before it is in force still."""
    sentence = "The file has no mistake."
    if mistakes:
        sentence = f"A newer file has {_count(mistakes, 'mistake')}, and is not in force."
    return Reason(Criterion.VALID_FILE, Grade.BRONZE, not mistakes, sentence)


async def of_file(
    described: manifest.Manifest, kind: type[base.Connector[Any]], options: base.Options
) -> tuple[Reason, ...]:
    """Return what a partner's file shows by itself; its examples are played in a thread."""
    wrong = await asyncio.to_thread(asyncio.run, _wrong(described, kind, options))
    held = len(described.examples) - len(wrong)
    unseen = sorted(_unshown(described, kind, options))
    indiscreet = sorted(set(_indiscretions(described)))
    failures = sorted({one.problem for one in described.examples if one.problem})
    return (
        Reason(
            Criterion.EXAMPLES_HOLD,
            Grade.SILVER,
            not wrong,
            f"Examples that hold: {held} of {len(described.examples)}.{_listed(wrong)}",
        ),
        Reason(
            Criterion.RECORDINGS_CLEAN,
            Grade.SILVER,
            not indiscreet,
            f"The examples seem to hold {' and '.join(indiscreet)}."
            if indiscreet
            else "Nothing in the examples looks like a secret or like somebody.",
        ),
        Reason(
            Criterion.ALL_SHOWN,
            Grade.GOLD,
            not unseen,
            f"No example shows: {', '.join(unseen)}."
            if unseen
            else "Examples show all that it gives, supplies and books.",
        ),
        Reason(
            Criterion.FAILURES_SHOWN,
            Grade.GOLD,
            bool(failures),
            f"Examples show what becomes of failures: {', '.join(failures)}."
            if failures
            else "No example shows what becomes of a failure (`problem`).",
        ),
    )


def of_answers(lately: Lately, deadline_seconds: float) -> tuple[Reason, ...]:
    """Return what the partner's latest answers show; ``deadline_seconds`` is its file's."""
    asks = len(lately.problems)
    rate = error_rate(lately.problems)
    in_vain = f"{sum(map(bool, lately.problems))} of the latest {_count(asks, 'ask')} in vain"
    drifted = sum(one in DRIFTED for one in lately.problems)
    most = deadline_seconds * DEADLINE_SHARE
    p95 = lately.p95_seconds
    is_steady = rate is not None and rate <= PLATINUM_ERROR_RATE
    return (
        Reason(
            Criterion.SELDOM_FAILS,
            Grade.GOLD,
            asks >= ASKS and rate is not None and rate < GOLD_ERROR_RATE,
            f"{in_vain}; fewer than {GOLD_ERROR_RATE:.0%} of {ASKS} or more are needed.",
        ),
        Reason(
            Criterion.FAST,
            Grade.GOLD,
            asks >= ASKS and p95 is not None and p95 < most,
            f"95 of 100 exchanges take {_milliseconds(p95)} or less; less than "
            f"{_milliseconds(most)}, of {ASKS} asks or more, is needed.",
        ),
        Reason(
            Criterion.NO_DRIFT,
            Grade.PLATINUM,
            asks >= MANY_ASKS and not drifted,
            f"{drifted} of the latest {_count(asks, 'ask')} were answered otherwise than the file "
            f"expects; none of {MANY_ASKS} is needed.",
        ),
        Reason(
            Criterion.STEADY,
            Grade.PLATINUM,
            asks >= MANY_ASKS and is_steady and lately.breaker is breaker.State.CLOSED,
            f"{in_vain}, and its breaker is {lately.breaker}; at most {PLATINUM_ERROR_RATE:.0%} of "
            f"{MANY_ASKS}, and CLOSED, are needed.",
        ),
    )


async def _wrong(
    described: manifest.Manifest, kind: type[base.Connector[Any]], options: base.Options
) -> list[str]:
    """Return the names of the examples that do not hold."""
    wrong = []
    for example in described.examples:
        found = await proof.play(
            kind,
            options,
            example.played(),
            proof.stand_in(described.credentials),
            hosts=described.hosts,
        )
        if found:
            wrong.append(example.name)
    return wrong


def _unshown(
    described: manifest.Manifest, kind: type[base.Connector[Any]], options: base.Options
) -> set[str]:
    """Return what the partner gives, supplies or books and no example of its file shows."""
    good = [one for one in described.examples if one.problem is None]
    given = {asked.capability for one in good for asked in one.inquiries}
    booked = {one.order.capability for one in good if one.order}
    supplied = {name for one in good for name in one.facts}
    return {
        *(kind.capabilities_of(options) - given),
        *(f"booking a {one}" for one in {*described.books} - booked),
        *({*described.supplies} - supplied),
    }


def _indiscretions(described: manifest.Manifest) -> Iterator[str]:
    for example in described.examples:
        for reply in (one.played() for one in example.replies):
            sent = "" if not reply.sends else str(dict(reply.sends))
            for text in (reply.path, reply.body, sent, *map(str, reply.query.values())):
                yield from discretion.indiscretions(text)


def _count(many: int, noun: str) -> str:
    return f"{many} {noun}{'' if many == 1 else 's'}"


def _listed(names: Sequence[str]) -> str:
    return f" These do not: {'; '.join(names)}." if names else ""


def _milliseconds(seconds: float | None) -> str:
    return "no known time" if seconds is None else f"{seconds * 1000:.0f} ms"
