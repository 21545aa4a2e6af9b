"""What a receipt states of a decision: rule, day, facts used, verdict; the same to the byte again.

JSON with sorted keys and no spaces (RFC 8785, for the plain texts and whole numbers there are).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import orjson

from eligibility import household
from eligibility.condition import NOTHING, Value
from eligibility.fact import Fact, Kind
from eligibility.single import Judge
from eligibility.tree import Known
from eligibility.verdict import Outcome, Verdict

#: The form of statements; another form has another number, and this one goes on being read.
FORM = 1


@dataclass(frozen=True, slots=True)
class Basis:
    """What a verdict rests on: the service's rule in a revision of the menu, the day, the moment.

    ``version`` is the digest of the rule; ``known_at`` is when the facts were what they were.
    ``subject`` is the handle of the person whose record was looked into, None where nobody's was;
    ``given`` are the facts that the asker put forward: those nobody has checked. ``silent`` has the
    partner of each fact that one should have supplied.
    """

    service: str
    revision: int
    version: str
    as_of: date
    known_at: datetime
    subject: str | None = None
    given: tuple[str, ...] = ()
    silent: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """A clause as a statement tells it: in words of the day, so that it can be read without us."""

    clause: str
    met: bool | None
    text: Mapping[str, str]
    reference: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, read."""

    basis: Basis
    facts: Known
    outcome: Outcome
    reasons: tuple[Told, ...]
    missing: tuple[str, ...]


def made(basis: Basis, judge: Judge, known: Known, verdict: Verdict) -> bytes:
    """Return the statement of a verdict; of what is known it has only what the rule asks for."""
    return orjson.dumps(
        {
            "form": FORM,
            "service": basis.service,
            "revision": basis.revision,
            "version": basis.version,
            "asOf": basis.as_of.isoformat(),
            "knownAt": basis.known_at.isoformat(),
            "subject": basis.subject,
            "given": [name for name in judge.tree.facts if name in basis.given],
            "facts": {
                name: plain(value)
                for name in judge.tree.facts
                if (value := known.get(name)) is not None
            },
            "outcome": verdict.outcome.value,
            "reasons": [
                {
                    "clause": reason.said.id,
                    "met": reason.truth,
                    "text": reason.said.text.root,
                    "reference": reason.said.reference,
                }
                for reason in verdict.reasons
            ],
            "missing": list(verdict.missing),
            "silent": dict(basis.silent),
        },
        option=orjson.OPT_SORT_KEYS,
    )


def read(statement: bytes, facts: Mapping[str, Fact]) -> Statement:
    """Return a statement of ours, read; a fact that there is no more is left out."""
    found: dict[str, Any] = orjson.loads(statement)
    return Statement(
        basis=Basis(
            service=found["service"],
            revision=found["revision"],
            version=found["version"],
            as_of=date.fromisoformat(found["asOf"]),
            known_at=datetime.fromisoformat(found["knownAt"]),
            subject=found["subject"],
            given=tuple(found["given"]),
            silent=found["silent"],
        ),
        facts={
            name: _value(facts[name], value)
            for name, value in found["facts"].items()
            if name in facts
        },
        outcome=Outcome(found["outcome"]),
        reasons=tuple(Told(**reason) for reason in found["reasons"]),
        missing=tuple(found["missing"]),
    )


def plain(value: Any) -> Any:  # noqa: ANN401 - any value, as JSON has it
    """Return a value as JSON has it: days as text, sets as sorted lists, none as null."""
    if value is NOTHING:
        return None
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [
            {name: plain(one) for name, one in member.items() if one is not None}
            for member in value
        ]
    return value


def _value(fact: Fact, found: Any) -> Value | None:  # noqa: ANN401 - as JSON has it
    if fact.kind is not Kind.HOUSEHOLD:
        return fact.taken(found)
    members: Any = tuple(
        {
            name: one.taken(member[name]) if name in member else None
            for name, one in household.FACTS.items()
        }
        for member in found
    )
    return members  # type: ignore[no-any-return]  # how the household is known
