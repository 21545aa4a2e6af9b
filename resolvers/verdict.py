"""Judging a service for whoever asks: their facts, its rule, the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from eligibility import rulebook
from eligibility.single import Judge
from eligibility.tree import Known
from eligibility.verdict import Verdict
from models import menu
from resolvers.context import Context


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict with what it was passed on: the service, its rule, the facts, the day."""

    verdict: Verdict
    service: menu.Service
    judge: Judge
    known: Known
    talent_class: menu.TalentClass | None
    as_of: date


def on(context: Context, service: menu.Service) -> Judged:
    """Return the verdict on a service for the viewer, today in Shanghai.

    For an asker who is no person nothing is known, so only what is for everyone is ELIGIBLE.
    """
    person = context.person
    judge = context.catalogue.rulebook.judge(service.code, context.today)
    known: Known = {}
    if person is not None:
        all_facts = rulebook.known_facts().values()
        known = context.once("facts", lambda: rulebook.facts_of(person, context.today, all_facts))
    return Judged(
        verdict=judge.judge(known),
        service=service,
        judge=judge,
        known=known,
        talent_class=person.talent_class if person else None,
        as_of=context.today,
    )
