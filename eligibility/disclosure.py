"""Disclosure policies: what a kind of partner may learn of a holder, and on what condition.

A policy is data with a version and a digest, and a type of the graph: what it does not tell has no
field to ask for. A verifier's kind is the ceiling of what it may learn; what it is granted, how it
shows itself and what the holder agreed to may only lower it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from models.verification import Category
from models.verifier import Kind, Scope


@dataclass(frozen=True)
class Policy:
    """What is told, under one code: ``tier-1`` is the first version of ``tier``.

    ``scope`` is what a verifier must be granted for it. What is ``personal`` needs the holder's
    separate consent (PIPL, articles 23 and 29), a verifier of tier 2 at least, and a check of a
    live person.
    """

    code: str
    categories: tuple[Category, ...]
    scope: Scope | None
    personal: bool = False

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of all that it says, in hex: what a receipt names it by."""
        said = "\n".join((self.code, *self.categories, str(self.scope), str(self.personal)))
        return hashlib.sha256(said.encode()).hexdigest()


NOTHING = Policy("nothing-1", (), None)
TIER = Policy("tier-1", (Category.TIER,), Scope.DISCLOSE_TIER)
PATIENT = Policy(
    "patient-1",
    (Category.TIER, Category.NAME, Category.BIRTH_DATE),
    Scope.DISCLOSE_PATIENT,
    personal=True,
)
GUARDIAN = Policy(
    "guardian-1",
    (Category.NAME, Category.DEPENDANT_NAME, Category.DEPENDANT_BIRTH_DATE),
    Scope.DISCLOSE_GUARDIAN,
    personal=True,
)
IDENTITY = Policy(
    "identity-1", (Category.TIER, Category.NAME), Scope.DISCLOSE_IDENTITY, personal=True
)
TENANT = Policy(
    "tenant-1",
    (Category.TIER, Category.NAME, Category.EMPLOYER),
    Scope.DISCLOSE_IDENTITY,
    personal=True,
)

POLICIES: Mapping[str, Policy] = {
    one.code: one for one in (NOTHING, TIER, PATIENT, GUARDIAN, IDENTITY, TENANT)
}

#: The most that each kind of partner may learn.
CEILINGS: Mapping[Kind, Policy] = {
    Kind.CINEMA: TIER,
    Kind.CULTURE: TIER,
    Kind.SPORT: TIER,
    Kind.HOSPITAL: PATIENT,
    Kind.PHYSICAL_CHECK: PATIENT,
    Kind.SCHOOL: GUARDIAN,
    Kind.BANK: IDENTITY,
    Kind.HOUSING: TENANT,
    Kind.DISTRICT: TIER,
}

#: The tier from which on a verifier may learn what is personal.
PERSONAL_TIER = 2


def policy(kind: Kind, tier: int, scopes: Collection[Scope]) -> Policy:
    """Return the most that a verifier may learn: of this kind, so shown, with these scopes."""
    ceiling = CEILINGS[kind]
    if ceiling.scope in scopes and (not ceiling.personal or tier >= PERSONAL_TIER):
        return ceiling
    return without_consent(ceiling, scopes)


def without_consent(ceiling: Policy, scopes: Collection[Scope]) -> Policy:
    """Return what may be told at most where the holder agreed to nothing personal."""
    if Category.TIER in ceiling.categories and TIER.scope in scopes:
        return TIER
    return NOTHING


def grantable(kind: Kind, tier: int) -> frozenset[Scope]:
    """Return the scopes that a verifier of this kind, showing itself so, may be granted."""
    ceiling = CEILINGS[kind]
    told = {Scope.DISCLOSE_TIER} if Category.TIER in ceiling.categories else set()
    if tier >= PERSONAL_TIER:
        others = set(Scope) - {one for one in Scope if one.startswith("disclose:")}
        return frozenset({*others, *told, *({ceiling.scope} if ceiling.scope else ())})
    return frozenset({Scope.VERIFY_CODE, Scope.REDEEM, Scope.SANDBOX, *told})
