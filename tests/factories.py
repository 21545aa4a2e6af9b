"""People, cards and their facts to test with: sensible defaults, keyword overrides."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from typing import Any

from models import card, talent

_numbers = itertools.count(1)
_RECORDED = {"source": "a test", "recorded_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)}


def a_talent(**given: Any) -> talent.Talent:
    """A person of whom only the required is known; facts and household are empty lists."""
    number = next(_numbers)
    known: dict[str, Any] = {
        "handle": f"handle{number}",
        "name": "Quill Emberwick",
        "name_latin": None,
        "district": "changning",
        **dict.fromkeys(
            ("degrees", "employments", "permits", "household", "awards", "attestations"), ()
        ),
        **dict.fromkeys(("teams", "cards"), ()),
        **_RECORDED,
        **given,
    }
    lists = {
        key: list(value) if isinstance(value, tuple) else value for key, value in known.items()
    }
    return talent.Talent(name_key=talent.name_key(known["name"], known["name_latin"]), **lists)


def tokens_of(person: talent.Talent) -> list[dict[str, Any]]:
    """The rows of ``talent.name_token`` that make a saved person findable by name."""
    return [{"token": token, "talent_id": person.id} for token in talent.tokens(person.name_key)]


def an_organisation(**given: Any) -> talent.Organisation:
    """An enterprise in Changning."""
    known = {
        "slug": f"organisation-{next(_numbers)}",
        "name_en": "Quillmere Company",
        "name_zh": "羽湖公司",
        "kind": talent.OrganisationKind.ENTERPRISE,
        "district": "changning",
        "region": "shanghai",
    }
    return talent.Organisation(**{**known, **given})


def a_degree(**given: Any) -> talent.Degree:
    """A master of a ranked school abroad."""
    known = {
        "level": talent.DegreeLevel.MASTER,
        "school": "University of Larkmere",
        "country": "AU",
        "awarded_on": date(2025, 7, 1),
        "school_rank": 33,
        "rank_source": "Fictitious World Ranking",
    }
    return talent.Degree(**{**known, **_RECORDED, **given})


def an_employment(**given: Any) -> talent.Employment:
    """A post held until now, its salary unknown."""
    known = {"title": "Engineer", "valid_from": date(2025, 1, 1), **_RECORDED, **given}
    return talent.Employment(**{"organisation": an_organisation(), **known})


def a_permit(**given: Any) -> talent.Permit:
    """A work permit without an end."""
    known = {
        "kind": talent.PermitKind.WORK_PERMIT,
        "number": f"WP{next(_numbers):09}",
        "authority": "Changning foreign expert bureau",
        "valid_from": date(2025, 1, 1),
    }
    return talent.Permit(**{**known, **_RECORDED, **given})


def a_member(**given: Any) -> talent.Member:
    """A spouse of whom nothing else is known."""
    known = {"relation": talent.Relation.SPOUSE, "name": "Ember Quillwick"}
    return talent.Member(**{**known, **_RECORDED, **given})


def an_award(**given: Any) -> talent.Award:
    """An award of this year."""
    known = {"level": talent.AwardLevel.EXCELLENT, "year": 2026}
    return talent.Award(**{**known, **_RECORDED, **given})


def a_team(**given: Any) -> talent.Team:
    """A home team that only took part."""
    known = {
        "edition": 2026,
        "name": "Team Quill",
        "field": "new-materials",
        "overseas": False,
        "result": talent.TeamResult.ENTRANT,
    }
    return talent.Team(**{**known, **_RECORDED, **given})


def an_attestation(**given: Any) -> talent.Attestation:
    """A no: the person owns no home."""
    known = {"name": "owns_home", "value": False, "valid_from": date(2026, 1, 1)}
    return talent.Attestation(**{**known, **_RECORDED, **given})


def a_card(**given: Any) -> card.Card:
    """An active card; give it a ``talent_id`` or put it among a person's ``cards``."""
    known = {
        "serial": card.serial(next(_numbers)),
        "batch": 1,
        "issued_on": date(2026, 9, 1),
        "valid_until": date(2028, 9, 1),
        "status": card.Status.ACTIVE,
        "tier": talent.TalentClass.HIGH,
        "sandbox": False,
    }
    return card.Card(**{**known, **_RECORDED, **given})


def a_redemption(**given: Any) -> card.Redemption:
    """One unit of a film used on 10 November 2026."""
    known = {
        "subject": "somebody",
        "handle": f"use{next(_numbers)}",
        "state": card.Use.USED,
        "area": "movie-watching",
        "units": 1,
        "used_at": datetime(2026, 11, 10, 12, tzinfo=UTC),
    }
    return card.Redemption(**{**known, **_RECORDED, **given})
