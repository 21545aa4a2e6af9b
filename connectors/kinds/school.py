"""A school office that speaks OneRoster 1.2: free places, and whose children are in its schools.

OneRoster has no word for free places, so they stand where it lets offices add their own:
`metadata.places` of a school, a list of `{grade, intake, capacity, remaining, applyBy}`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

import pydantic

from connectors import base, errors, exchange, wire
from models import offer

_HERE = ZoneInfo("Asia/Shanghai")
_ROSTERING = "ims/oneroster/rostering/v1p2"
_SCHOOLS = f"{_ROSTERING}/schools"
_USERS = f"{_ROSTERING}/users"


class Options(base.Options):
    """What a school office's file says beside its address."""

    page_size: int = pydantic.Field(
        default=100, ge=1, le=1000, description="Schools asked for in one page."
    )


class _Places(wire.Record):
    grade: str
    intake: str
    capacity: int | None = pydantic.Field(default=None, ge=0)
    remaining: int | None = pydantic.Field(default=None, ge=0)
    apply_by: date | None = None


class _Metadata(wire.Record):
    places: tuple[_Places, ...] = ()


class _School(wire.Record):
    sourced_id: str
    status: Literal["active", "tobedeleted"]
    name: str
    metadata: _Metadata | None = None


class _Page(wire.Record):
    orgs: tuple[_School, ...]


class _Agent(wire.Record):
    type: str


class _User(wire.Record):
    identifier: str
    agents: tuple[_Agent, ...] = ()


class _Users(wire.Record):
    users: tuple[_User, ...]


class School(base.Connector[Options]):
    """All active schools are read once; grades and days are chosen here, for all inquiries."""

    slug = "school"
    label: ClassVar[Mapping[str, str]] = {"en": "School office", "zh": "教育部门"}
    capabilities = frozenset({offer.Capability.PLACE})
    options_model = Options
    supplies = frozenset({"children_at_district_school"})

    async def answer(self, inquiries: Sequence[base.Inquiry]) -> Sequence[Sequence[offer.Offer]]:
        """Return, for each inquiry, the places of its grade that can be applied for in its time.

        A place is open until the end of its `applyBy`, so one that closes after the inquiry's
        window is in it too; a full one is listed with nothing remaining.
        """
        schools = [one for one in await self._schools() if one.status == "active"]
        return [_places(one, schools) for one in inquiries]

    async def facts(self, subject: str, names: frozenset[str]) -> Mapping[str, object]:  # noqa: ARG002 - there is one
        """Return how many users the person answers for: their children, among its pupils.

        Offices keep a person's pseudonym as the `identifier` of their user. A server that does
        not heed the filter would tell of somebody else, so what it gives is looked at again.
        """
        quoted = subject.replace("'", "''")
        reply = await self.partner.get(
            _USERS, query=[("filter", f"identifier='{quoted}' AND status='active'")]
        )
        users = wire.read(_Users, reply.json()).users
        if any(user.identifier != subject for user in users) or len(users) > 1:
            raise errors.bad_answer("holds other users than the one that was asked for")
        if not users:
            return {}
        pupils = [agent for agent in users[0].agents if agent.type == "user"]
        return {"children_at_district_school": len(pupils)}

    async def _schools(self) -> Sequence[_School]:
        """Read every page.

        A server may give fewer rows than were asked for although there are more, so a short
        page ends nothing: the offset advances by the rows received, until they cover
        `X-Total-Count`. A server that sends no such count is asked until a page is empty, at
        the cost of one more call.
        """
        schools: dict[str, _School] = {}
        received = 0
        for _ in range(self.partner.policy.pages):
            reply = await self.partner.get(
                _SCHOOLS,
                query=[
                    ("filter", "status='active'"),
                    ("sort", "sourcedId"),
                    ("orderBy", "asc"),
                    ("limit", str(self.options.page_size)),
                    ("offset", str(received)),
                ],
            )
            page = wire.read(_Page, reply.json()).orgs
            schools |= {school.sourced_id: school for school in page}
            received += len(page)
            if not page or received >= _total(reply):
                return list(schools.values())
        most = self.partner.policy.pages
        raise errors.bad_answer(f"goes on for more than {most} pages")


def _total(reply: exchange.Reply) -> float:
    told = reply.headers.get("X-Total-Count", "")
    return int(told) if told.isdecimal() else math.inf


def _places(inquiry: base.Inquiry, schools: Sequence[_School]) -> list[offer.Place]:
    first_day = inquiry.since.astimezone(_HERE).date()
    places = [
        offer.Place(
            id=f"{school.sourced_id}/{places.grade}/{places.intake}",
            title=f"{school.name}, {places.intake}",
            where=school.name,
            intake=places.intake,
            capacity=places.capacity,
            remaining=places.remaining,
            apply_by=places.apply_by,
        )
        for school in schools
        for places in (school.metadata.places if school.metadata else ())
        if places.grade == inquiry.topic and (places.apply_by or date.max) >= first_day
    ]
    return sorted(places, key=lambda one: (one.apply_by or date.max, one.id))
