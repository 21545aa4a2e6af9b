"""Verdicts as the graph says them: the outcome, the reasons, what is still to be asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

import strawberry

from eligibility import condition, statement, verdict
from eligibility import fact as facts
from models import errors
from resolvers import decision, subsidy
from resolvers import verdict as verdicts
from resolvers.verdict import NOTHING_ELSE, Asked, Given, Judged
from schema import cost, scalars
from schema.info import Info
from schema.reason import Reason
from schema.scalars import FactValue, Language, LocalizedText
from schema.subsidy import Subsidy

scalars.describe(
    verdict.Outcome,
    "What a rule says of a person. A missing fact or a silent partner never turns a verdict.",
    {
        "ELIGIBLE": "The service may be had; no missing fact could change that.",
        "INELIGIBLE": "The service may not be had; no missing fact could change that.",
        "NEEDS_FACTS": "It depends on facts that are missing; they are named.",
        "UNDETERMINED": "It depends on facts that a silent partner should have supplied.",
    },
)
scalars.describe(
    facts.Kind,
    "What sort of answer a question takes.",
    {
        "YES_NO": "Yes or no.",
        "NUMBER": "A whole number.",
        "CHOICE": "One of a list of words.",
        "TEXT": "A text; case, width and spare spaces do not count.",
        "DAY": "A day.",
        "WORDS": "A set of words.",
        "HOUSEHOLD": "The members of the household, told at a service point.",
    },
    name="FactKind",
)


@strawberry.input(description="A fact that is put forward; nothing of it is kept.")
class FactInput:
    name: str = strawberry.field(description="The fact's name, as `missing` spells it.")
    value: FactValue | None = strawberry.field(
        default=strawberry.UNSET,
        description="What it is; `null` says that there is known to be none.",
    )


Facts = Annotated[
    list[FactInput] | None,
    strawberry.argument(
        directives=[cost.OTHERWISE],
        description="What if: facts that go over what is on record, each once, at most 100.",
    ),
]
AsOf = Annotated[
    date | None,
    strawberry.argument(
        directives=[cost.OTHERWISE],
        description="The day it is passed for, at most ten years from today, which it else is.",
    ),
]
KnownAt = Annotated[
    datetime | None,
    strawberry.argument(
        directives=[cost.EARLIER],
        description="On what was on record, and by the rule that was published, at this moment.",
    ),
]


def asked(
    given: Sequence[FactInput] | None, as_of: date | None, known_at: datetime | None = None
) -> Asked:
    """Return what a verdict is asked on.

    Raises:
        BadInputError: a fact has no value, not even null.
    """
    if not given and as_of is None and known_at is None:
        return NOTHING_ELSE
    for one in given or ():
        if one.value is strawberry.UNSET:
            raise errors.BadInputError(
                f"`{errors.shown(one.name)}` has no `value`.", "Say what it is, or `null` for none."
            )
    return Asked(tuple(Given(one.name, one.value) for one in given or ()), as_of, known_at)


@strawberry.interface(description="A fact, with the question it is asked by.")
class Question:
    fact: strawberry.Private[facts.Fact]

    @strawberry.field(description="The fact's name, as rules spell it.")
    def name(self) -> str:
        return self.fact.name

    @strawberry.field(description="What the fact is called.")
    def label(self, info: Info, language: Language = None) -> LocalizedText:
        return LocalizedText.of(self.fact.label, info, language)

    @strawberry.field(description="The question to put to the person.")
    def question(self, info: Info, language: Language = None) -> LocalizedText:
        return LocalizedText.of(self.fact.question, info, language)

    @strawberry.field(description="What sort of answer it takes.")
    def kind(self) -> facts.Kind:
        return self.fact.kind

    @strawberry.field(description="What a number counts.")
    def unit(self) -> str | None:
        return self.fact.unit

    @strawberry.field(description="The words to choose from; empty where any may be given.")
    def choices(self) -> list[str]:
        return list(self.fact.choices)


@strawberry.type(description="A fact that could still change the verdict, with its question.")
class MissingFact(Question):
    pass


@strawberry.type(description="A fact that would have to be otherwise.")
class FactChange(Question):
    change: strawberry.Private[verdict.Change]

    @classmethod
    def of(cls, found: verdict.Change) -> FactChange:
        return cls(fact=found.fact, change=found)

    @strawberry.field(
        directives=[cost.sized(3)], description="The clauses that it would then meet or fail."
    )
    def clauses(self) -> list[Reason]:
        return [Reason.of(one) for one in self.change.clauses]

    @strawberry.field(
        description=(
            "A value that would do, as text (`true`, `100`, `MASTER`; a list has commas; `null` "
            "is none); null where any would do that no rule names."
        )
    )
    def example(self) -> str | None:
        return None if self.change.example is None else written(self.change.example)


@strawberry.type(
    description="Facts that would turn the verdict if all of them changed, and no fewer of them."
)
class Alternative:
    changes: list[FactChange] = strawberry.field(
        directives=[cost.sized(8)], description="What would have to change."
    )

    @classmethod
    def of(cls, found: verdict.Alternative) -> Alternative:
        return cls(changes=[FactChange.of(one) for one in found])


@strawberry.type(description="The rule that a verdict was passed by.")
class RuleVersion:
    judged: strawberry.Private[Judged]

    @strawberry.field(description="The revision of the menu it was read from.")
    def revision(self) -> int:
        return self.judged.catalogue.revision

    @strawberry.field(
        description="The SHA-256 of the rule and of all that it builds on: the same for the same."
    )
    def version(self) -> str:
        return self.judged.catalogue.version(self.judged.service.code)

    @strawberry.field(description="The first day of the edition in force; null for no first.")
    def since(self) -> date | None:
        return self.judged.edition.span.since if self.judged.edition else None

    @strawberry.field(description="The last day of the edition in force; null for no last.")
    def until(self) -> date | None:
        return self.judged.edition.span.until if self.judged.edition else None

    @strawberry.field(description="The sources its clauses rest on on that day, by code.")
    def reference(self) -> list[str]:
        leaves = self.judged.judge.tree.leaves
        return list(dict.fromkeys(leaf.said.reference for leaf in leaves))


@strawberry.type(description="What the rule of a service says of whoever asks, and why.")
class Verdict:
    judged: strawberry.Private[Judged]

    @classmethod
    def of(cls, judged: Judged) -> Verdict:
        return cls(judged=judged)

    @strawberry.field(description="The outcome.")
    def outcome(self) -> verdict.Outcome:
        return self.judged.verdict.outcome

    @strawberry.field(
        directives=[cost.sized(20)],
        description="Exactly the clauses that decided it, or that hold it open.",
    )
    def reasons(self) -> list[Reason]:
        return [Reason.of(one) for one in self.judged.verdict.reasons]

    @strawberry.field(
        directives=[cost.sized(30)], description="The facts that could still change it."
    )
    def missing(self) -> list[MissingFact]:
        asked = self.judged.judge.tree.facts
        return [MissingFact(fact=asked[name]) for name in self.judged.verdict.missing]

    @strawberry.field(description="The partners whose silence leaves it undetermined, by code.")
    def silent_partners(self) -> list[str]:
        return list(self.judged.verdict.silent)

    @strawberry.field(
        directives=[cost.TURNED, cost.sized(100)],
        description=(
            "All smallest sets of facts that would turn it, fewest facts first: an open verdict "
            "into `ELIGIBLE`, another into its opposite; the first 100."
        ),
    )
    async def would_change(self) -> list[Alternative]:
        return [Alternative.of(one) for one in await verdicts.alternatives(self.judged)]

    @strawberry.field(
        directives=[cost.JUDGED],
        description=(
            "The first day from `asOf` on on which it is `ELIGIBLE`, if nothing but time passes; "
            "null where there is none within ten years."
        ),
    )
    def eligible_from(self) -> date | None:
        return self.judged.turning.holds_from

    @strawberry.field(
        directives=[cost.JUDGED],
        description=(
            "The first day after `eligibleFrom` on which it is no longer `ELIGIBLE`, if nothing "
            "but time passes; null where there is none within ten years of `asOf`."
        ),
    )
    def lapses_on(self) -> date | None:
        return self.judged.turning.lapses_on

    @strawberry.field(
        directives=[cost.JUDGED],
        description="What the service pays month by month; null where it pays nothing, or may not "
        "be had.",
    )
    def subsidy(self) -> Subsidy | None:
        row, found = self.judged.service.subsidy, subsidy.schedule(self.judged)
        return Subsidy.of(row, found) if row and found else None

    @strawberry.field(description="The rule it was passed by.")
    def rule(self) -> RuleVersion:
        return RuleVersion(judged=self.judged)

    @strawberry.field(description="The day it is passed for.")
    def as_of(self) -> date:
        return self.judged.as_of

    @strawberry.field(description="The moment on whose knowledge it rests.")
    def known_at(self) -> datetime:
        return self.judged.known_at

    @strawberry.field(
        directives=[cost.SIGNED],
        description=(
            "Its signed receipt (a compact JWS): the rule, the facts it asked for, the verdict and "
            "the reasons. `replay` goes through it again; the keys are at /.well-known/jwks.json."
        ),
    )
    def receipt(self, info: Info) -> str:
        return decision.receipt(info.context, self.judged)


def written(value: condition.Value) -> str:
    """Return a fact's value as text: `true`, `100`, `MASTER`; a list has commas, none is `null`."""
    found = statement.plain(value)
    if isinstance(found, list) and all(isinstance(one, str) for one in found):
        return ", ".join(found)
    return found if isinstance(found, str) else json.dumps(found)
