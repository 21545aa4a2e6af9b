"""Examples are played without sockets; what does not hold is told by its place."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connectors import base, credential, errors, http, manifest, proof
from models import offer

INQUIRY = base.Inquiry(
    offer.Capability.SHOWING,
    "film",
    datetime(2026, 11, 24, tzinfo=UTC),
    datetime(2026, 11, 25, tzinfo=UTC),
)
ORDER = base.Order("k" * 22, "somebody", offer.Capability.SHOWING, "film", "f-1", 2)


class Desk(base.Connector[base.Options]):
    """Asks for what its answer names, page after page; books by POST."""

    slug = "desk"
    capabilities = frozenset({offer.Capability.SHOWING})
    options_model = base.Options

    async def answer(self, inquiries):
        reply = await self.partner.get("films", query=[("topic", inquiries[0].topic)])
        if (page := reply.json()).get("next"):
            page = (await self.partner.follow(page["next"])).json()
        return [[showing(one) for one in page["films"]] for _ in inquiries]

    async def facts(self, subject, names):  # noqa: ARG002 - it tells all it knows
        return (await self.partner.get(f"people/{subject}")).json()

    async def reserve(self, order):
        content = json.dumps({"film": order.offer, "seats": {"count": order.units}}).encode()
        reply = await self.partner.send("POST", "holds", content=content)
        return base.Booked(base.Step.HELD, reply.json()["id"], handle=reply.json())

    async def confirm(self, order, booked):
        form = f"hold={booked.reference}&key={order.key}".encode()
        await self.partner.send(
            "POST",
            f"holds/{booked.reference}",
            content=form,
            content_type="application/x-www-form-urlencoded",
        )
        return replace(booked, step=base.Step.CONFIRMED)

    async def find(self, order):
        reply = await self.partner.get(f"keys/{order.key}")
        return base.Booked(base.Step.CONFIRMED, reply.json()["id"])


def showing(one):
    return offer.Showing(
        id=one["id"],
        title="Film",
        start=datetime(2026, 11, 24, 9, tzinfo=UTC),
        venue="Hall",
        price=Decimal("9.50"),
        attributes=(offer.Attribute("format", "Format", "3D"),),
    )


def asks(replies, offers=(), **more):
    return base.Example("one", replies, (INQUIRY,), (offers,), **more)


def films(*ids, **more):
    body = json.dumps({"films": [{"id": one} for one in ids], **more})
    return base.Reply("films", body, query={"topic": "film"})


async def played(example, credentials=None, body_bytes=1000, hosts=()):
    policy = http.Policy(body_bytes=body_bytes)
    return await proof.play(Desk, base.Options(), example, credentials, policy, hosts)


async def test_what_holds_is_told_with_nothing():
    fields = {
        "id": "f-1",
        "start": "2026-11-24T09:00:00+00:00",
        "price": "9.50",
        "attributes.format": "3D",
        "seats": "None",
    }

    assert await played(asks((films("f-1"),), (fields,))) == []


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("id", "offers[0][0].id: “x” was expected; it is “f-1”."),
        ("start", "offers[0][0].start: “x” was expected; it is “2026-11-24T09:00:00+00:00”."),
        ("titel", "offers[0][0]: There is no `titel`."),
        ("attributes.colour", "offers[0][0]: There is no `attributes.colour`."),
    ],
)
async def test_a_field_that_is_another_is_told_by_its_place(name, found):
    assert await played(asks((films("f-1"),), ({name: "x"},))) == [found]


async def test_offers_that_are_more_or_fewer_are_told_by_their_ids():
    assert await played(asks((films("f-1", "f-2"),), ({"id": "f-1"},))) == [
        "offers[0]: 1 were expected; there are 2: f-1, f-2."
    ]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ({"path": "movies"}, "GET movies was expected"),
        ({"method": "POST"}, "POST films was expected"),
        ({"query": {"topic": "opera"}}, 'expected in the query was topic=["opera"]'),
    ],
)
async def test_a_request_that_is_another_is_all_that_is_told(reply, expected):
    example = asks((replace(films("f-1"), **reply),), ({"id": "f-1"},))

    assert await played(example) == [f"GET /films?topic=film was asked; {expected}."]


async def test_a_reply_that_nobody_asked_for_is_told():
    example = asks((films("f-1"), base.Reply("films/2", "{}")), ({"id": "f-1"},))

    assert await played(example) == ["GET films/2 was never asked."]


async def test_a_request_beyond_the_replies_is_told():
    assert await played(asks((films(next="/films?page=2"),))) == [
        "GET /films?page=2 was asked; nothing more was expected."
    ]


@pytest.mark.parametrize(
    ("path", "next_link", "hosts"),
    [
        ("pages/2", "{address}/pages/2", ()),
        ("https://cdn.example/2", "https://cdn.example/2", ("https://cdn.example/",)),
    ],
)
async def test_links_lead_to_the_address_and_the_hosts(path, next_link, hosts):
    pages = (films(next=next_link), replace(films("f-1"), path=path, query={}))

    assert await played(asks(pages, ({"id": "f-1"},)), hosts=hosts) == []


async def test_a_problem_is_an_outcome_like_any_other():
    reply = replace(films(), status=503)

    assert await played(asks((reply,), problem=errors.Problem.UNWELL)) == []
    assert await played(asks((reply,), problem=errors.Problem.TIMEOUT)) == [
        (
            "The problem is PARTNER_UNWELL: The partner failed inside (HTTP 503). "
            "But PARTNER_TIMEOUT was expected."
        )
    ]
    assert await played(asks((films("f-1"),), problem=errors.Problem.UNWELL)) == [
        "PARTNER_UNWELL was expected; it went well."
    ]


async def test_a_fault_of_the_kind_is_told_and_breaks_nothing():
    assert await played(asks((base.Reply("films", '{"film": []}'),))) == [
        "The kind failed in a way nobody foresaw: KeyError."
    ]


async def test_a_reply_is_held_to_the_partners_limit():
    example = asks((films("f-1"),), problem=errors.Problem.TOO_LARGE)

    assert await played(example, body_bytes=10) == []


CHILDREN = "children_at_district_school"


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({CHILDREN: 1}, []),
        ({CHILDREN: 2}, [f"facts.{CHILDREN} was to be 1, not 2."]),
        ({}, [f"facts.{CHILDREN} is missing."]),
        ({CHILDREN: 1, "age": 40}, ["facts.age was not expected."]),
    ],
)
async def test_facts_are_those_and_no_others(body, wrong):
    assert await played(supplies({CHILDREN: 1}, body)) == wrong


async def test_a_fact_is_one_that_rules_know():
    assert await played(supplies({CHILDREN: "two"}, {CHILDREN: "two"})) == [
        f'facts.{CHILDREN}: "two" is no value of such a fact.'
    ]


def supplies(facts, body):
    return base.Example(
        "one",
        (base.Reply("people/p-1", json.dumps(body)),),
        subject="p-1",
        wanted=frozenset(facts),
        facts=facts,
    )


def books(*replies, steps=(base.Act.RESERVE, base.Act.CONFIRM), **booked):
    return base.Example("one", replies, order=ORDER, steps=steps, booked=booked)


HELD = base.Reply(
    "holds", '{"id": "h-1", "film": "f-1"}', "POST", 201, sends={"seats": {"count": 2}}
)
CONFIRMED = base.Reply("holds/h-1", "", "POST", 204, sends={"hold": "h-1", "key": ORDER.key})


async def test_an_order_goes_through_its_steps():
    assert await played(books(HELD, CONFIRMED, step="confirmed", reference="h-1")) == []


async def test_what_a_request_holds_is_told_by_path():
    other = replace(HELD, sends={"film": "f-1", "seats": {"count": 3}})

    assert await played(books(other, CONFIRMED)) == [
        "POST /holds was asked; its body.seats.count was to be 3, not 2."
    ]


async def test_what_a_request_lacks_is_told_by_path():
    other = replace(HELD, sends={"seats": {"row": 1}})

    assert await played(books(other)) == ["POST /holds was asked; its body.seats.row is missing."]


async def test_what_a_booking_keeps_is_told_by_path():
    reserved = books(HELD, steps=(base.Act.RESERVE,), **{"handle.film": "f-2"})

    assert await played(reserved) == ["booked.handle.film: “f-2” was expected; it is “f-1”."]


async def test_a_booking_may_be_looked_for():
    found = base.Reply(f"keys/{ORDER.key}", '{"id": "b-1"}')

    assert await played(books(found, steps=(base.Act.FIND,), reference="b-1")) == []


@pytest.mark.parametrize("method", ["client_secret_basic", "private_key_jwt"])
async def test_tokens_are_given_without_being_told_of(method):
    way = {"token_path": "token", "client_id": "hub", "secret": "desk-token", "method": method}
    credentials = proof.stand_in(manifest.Credentials.model_validate({"oauth2": way}))

    assert isinstance(credentials, credential.OAuth2)
    assert await played(asks((films("f-1"),), ({"id": "f-1"},)), credentials) == []
