"""Verdicts as the graph says them: the outcome, the reasons, what is still to be asked."""

from __future__ import annotations

from datetime import date

import strawberry

from eligibility import fact as facts
from eligibility import tree, verdict
from resolvers.verdict import Judged
from schema import scalars
from schema.info import Info
from schema.scalars import Language, LocalizedText

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


@strawberry.type(description="A fact that could still change the verdict, with its question.")
class MissingFact:
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


@strawberry.type(description="A clause of the rule that decided the verdict or holds it open.")
class Reason:
    said: strawberry.Private[tree.Said]
    met: bool | None = strawberry.field(
        description="Whether what the clause says holds; null where that is not known."
    )

    @strawberry.field(description="The clause's id within its rule.")
    def clause(self) -> str:
        return self.said.id

    @strawberry.field(description="What the clause says. Whether it holds is `met`.")
    def text(self, info: Info, language: Language = None) -> LocalizedText:
        return LocalizedText.of(self.said.text, info, language)

    @strawberry.field(description="The source the clause rests on.")
    def reference(self) -> str:
        return self.said.reference


@strawberry.type(description="What the rule of a service says of whoever asks, and why.")
class Verdict:
    judged: strawberry.Private[Judged]

    @classmethod
    def of(cls, judged: Judged) -> Verdict:
        return cls(judged=judged)

    @strawberry.field(description="The outcome.")
    def outcome(self) -> verdict.Outcome:
        return self.judged.verdict.outcome

    @strawberry.field(description="Exactly the clauses that decided it, or that hold it open.")
    def reasons(self) -> list[Reason]:
        return [Reason(said=one.said, met=one.truth) for one in self.judged.verdict.reasons]

    @strawberry.field(description="The facts that could still change it.")
    def missing(self) -> list[MissingFact]:
        asked = self.judged.judge.tree.facts
        return [MissingFact(fact=asked[name]) for name in self.judged.verdict.missing]

    @strawberry.field(description="The partners whose silence leaves it undetermined, by code.")
    def silent_partners(self) -> list[str]:
        return list(self.judged.verdict.silent)

    @strawberry.field(description="The day it is passed for.")
    def as_of(self) -> date:
        return self.judged.as_of
