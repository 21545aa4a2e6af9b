"""Revisions by their moment, and what makes a rule another version of itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from models import menu
from tests import catalogue as small

NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)
CITED = small.CITED
SAID = {"text": {"en": "It holds", "zh": "成立"}, "reference": "hub"}
NAMED = {"name": {"en": "A name"}, "citation": CITED}


@pytest.fixture
async def published(database):
    async with database.begin() as session:
        for hours in (0, 2):
            found = small.a_menu(small.a_service(f"service-{hours}"))
            menu.publish(session, found, str(hours), NOON + timedelta(hours=hours))
            await session.flush()


@pytest.mark.parametrize(
    ("minutes", "source"), [(-1, None), (0, "0"), (119, "0"), (120, "2"), (10_000, "2")]
)
async def test_the_revision_of_a_moment_is_the_newest_published_by_then(
    published, database, minutes, source
):
    async with database.session() as session:
        found = await menu.newest_at(session, NOON + timedelta(minutes=minutes))

    assert (found and found.source) == source


def a_menu(**changed):
    """A menu of two services, the first of which builds on all that a rule may build on."""
    parts = {
        "amount": 600_000,
        "points": 5,
        "zone": "changning",
        "city": 18,
        "required": 60,
        "own": True,
        "other": 1,
        **changed,
    }
    asks = [
        {"id": "card", "fact": "holds_card", "is": parts["own"], **SAID},
        {"id": "pay", "fact": "annual_salary", "at_least": {"line": "line"}, **SAID},
        {"id": "points", "points": "table", "at_least": 5, **SAID},
        {"id": "also", "requires": "second", **SAID},
    ]
    overrides = [{"zone": "zone", "add": asks}]
    services = [
        small.a_service("first", eligibility={"city": "rule", "overrides": overrides}),
        small.a_service(
            "second",
            eligibility={"id": "old", "fact": "age", "at_least": parts["required"], **SAID},
        ),
        small.a_service("third", fee={"amount": str(parts["other"]), "citation": CITED}),
    ]
    band = {"points": parts["points"], "equals": True}
    line = {"id": "a", "name": {"en": "A"}, "most": 9}
    line["entries"] = [{"fact": "employed", "bands": [band]}]
    version = {"version": "v", "since": "2020-01-01", "high": 9, "medium": 5, "lines": [line]}
    clause = {"id": "grown", "fact": "age", "at_least": parts["city"], **SAID}
    return small.a_menu(*services).model_copy(
        update={
            "points": (menu.PointsTable(code="table", **NAMED, versions=[{**version, **NAMED}]),),
            "pay_lines": (
                menu.PayLine(
                    code="line",
                    **NAMED,
                    values=[{"since": "2020-01-01", "amount": parts["amount"], "citation": CITED}],
                ),
            ),
            "zones": (
                menu.Zone(
                    code="zone",
                    **NAMED,
                    fact="employer_district",
                    values=[parts["zone"]],
                    text={"en": "There"},
                    since="2020-01-01",
                ),
            ),
            "city_rules": (menu.CityRule(code="rule", **NAMED, eligibility=clause),),
        }
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"amount": 895_248},
        {"points": 6},
        {"zone": "minhang"},
        {"city": 19},
        {"required": 61},
        {"own": False},
    ],
    ids=str,
)
def test_a_rule_is_another_version_where_anything_it_builds_on_is_another(changed):
    before, after = (
        menu.rule_version(a_menu(), "first"),
        menu.rule_version(a_menu(**changed), "first"),
    )

    assert before != after


def test_a_rule_is_the_same_version_whatever_becomes_of_others():
    before, after = a_menu(), a_menu(other=2, amount=1)

    assert menu.rule_version(before, "second") == menu.rule_version(after, "second")
    assert menu.rule_version(before, "second") != menu.rule_version(before, "third")
    assert menu.rule_version(menu.unpacked(menu.packed(before)[1]), "first") == (
        menu.rule_version(before, "first")
    )
