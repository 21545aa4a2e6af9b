"""The player of examples finds whatever differs: in the requests, the answers, and what follows."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from connectors import base, manifest, proof, registry

ENTRY = manifest.load(registry.PARTNERS / "jinzhong-road-hospital.yaml", registry.kinds())
GOOD, BAD_ANSWER = (one.played() for one in ENTRY.manifest.examples[:2])
REPLY = GOOD.replies[0]


async def played(example):
    return await proof.play(ENTRY.kind, ENTRY.options, example)


async def test_what_holds_differs_in_nothing():
    assert await played(GOOD) == []
    assert await played(BAD_ANSWER) == []


@pytest.mark.parametrize(
    ("example", "told"),
    [
        (replace(GOOD, replies=(replace(REPLY, path="Slots"),)), "GET Slots was expected"),
        (replace(GOOD, replies=(replace(REPLY, method="POST"),)), "POST Slot was expected"),
        (replace(GOOD, replies=(replace(REPLY, query={"status": "busy"}),)), "`status` should be"),
        (replace(GOOD, replies=(REPLY, REPLY)), "Nobody asked for GET Slot"),
        (replace(GOOD, replies=()), "no further request was expected"),
        (replace(GOOD, replies=(replace(REPLY, sends={"a": 1}),)), "the body.a should be 1"),
        (replace(GOOD, replies=(replace(REPLY, status=500),)), "problem is PARTNER_UNWELL"),
        (replace(GOOD, problem="PARTNER_TIMEOUT"), "expected was PARTNER_TIMEOUT"),
        (replace(BAD_ANSWER, problem=None), "The problem is PARTNER_BAD_ANSWER"),
        (replace(GOOD, offers=(GOOD.offers[0], ())), "offers[1]: came 1, expected were 0"),
        (
            replace(GOOD, offers=(({**GOOD.offers[0][0], "title": "Tea"},), GOOD.offers[1])),
            "offers[0][0].title: is “Dental care”, expected was “Tea”",
        ),
        (replace(GOOD, facts={"age": 7}), "facts.age"),
    ],
)
async def test_whatever_differs_is_told(example, told):
    assert any(told in difference for difference in await played(example))


class Desk(base.Connector[base.Options]):
    """Reserves by a form, looks up by a key."""

    slug = "desk"
    capabilities = frozenset()
    options_model = base.Options

    async def answer(self, inquiries):
        raise NotImplementedError

    async def reserve(self, order):
        body = orjson.dumps({"key": order.key, "what": {"seat": [1, 2]}})
        reply = await self.partner.send("POST", "holds", content=body)
        return base.Booked(base.Step.HELD, reply.json()["id"])

    async def confirm(self, order, booked):
        await self.partner.send("PUT", f"holds/{booked.reference}/{order.units}")
        return replace(booked, step=base.Step.CONFIRMED)


ORDERED = base.Example(
    name="held, then confirmed",
    inquiries=(),
    replies=(
        base.Reply(
            "holds", '{"id": "h-1"}', method="POST", sends={"key": "k", "what": {"seat": [1, 2]}}
        ),
        base.Reply("holds/h-1/1", "", status=204, method="PUT"),
    ),
    offers=(),
    order=base.Order("k", "somebody", next(iter(ENTRY.kind.capabilities)), "seat", "1"),
    steps=(base.Act.RESERVE, base.Act.CONFIRM),
    booked={"step": "confirmed", "reference": "h-1"},
)


@pytest.mark.parametrize(
    ("example", "told"),
    [
        (ORDERED, None),
        (replace(ORDERED, booked={"reference": "h-2"}), "booked.reference: is “h-1”"),
        (replace(ORDERED, steps=(base.Act.RESERVE,)), "Nobody asked for PUT holds/h-1/1"),
        (
            replace(ORDERED, replies=(replace(ORDERED.replies[0], sends={"what": {"seat": [1]}}),)),
            "the body.what.seat should be [1]",
        ),
    ],
)
async def test_a_booking_is_played_step_by_step(example, told):
    differences = await proof.play(Desk, base.Options(), example)

    assert [told in one for one in differences[:1]] == ([True] if told else [])
