"""Booking by FHIR, at a server that nobody here wrote and at odd ones."""

from __future__ import annotations

import asyncio
import contextlib
import json
from datetime import datetime
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from aiohttp import web

from connectors import base, credential, egress, errors, http
from connectors.kinds import hospital
from models import offer
from sandbox import secret
from tests import partner, server

SHANGHAI = ZoneInfo("Asia/Shanghai")
CAPACITY = "http://fhir-registry.smarthealthit.org/StructureDefinition/slot-capacity"
KEY = secret.VALUES["jinzhong-road-hospital-key"]
PASSWORD = secret.VALUES["tianshan-clinic-password"]
WEEK = base.Inquiry(
    offer.Capability.APPOINTMENT,
    "dental",
    datetime(2026, 11, 23, tzinfo=SHANGHAI),
    datetime(2026, 11, 30, tzinfo=SHANGHAI),
)
SCHEDULE = {
    "resourceType": "Schedule",
    "id": "teeth",
    "actor": [{"reference": "Location/1", "display": "Room 7"}],
}


def slot(name, hour, capacity=None):
    extension = [{"url": CAPACITY, "valueInteger": capacity}] if capacity else []
    return {
        "resourceType": "Slot",
        "id": name,
        "extension": extension,
        "serviceType": [{"coding": [{"code": "dental"}], "text": "Dental care"}],
        "schedule": {"reference": "Schedule/teeth"},
        "status": "free",
        "start": f"2026-11-24T{hour:02}:00:00+08:00",
        "end": f"2026-11-24T{hour:02}:30:00+08:00",
    }


NAMES = ("read", "steps", "race", "seats", "late", "lost", "half", "refused", "file")
RESOURCES = [SCHEDULE, *(slot(name, 9 + n) for n, name in enumerate(NAMES) if name != "seats")]
RESOURCES.append(slot("seats", 20, capacity=2))


@pytest.fixture(scope="module")
def theirs():
    """The address of @medplum/fhir-router with a schedule of slots."""
    with server.node("hospital.js", RESOURCES) as url:
        yield url


@pytest.fixture
async def client():
    async with http.HTTPClient(allow=egress.LOOPBACK) as client:
        yield client


@pytest.fixture
def build(client):
    def at(url):
        policy = http.Policy(deadline_seconds=10)
        return hospital.Hospital(hospital.Options(), client.partner("theirs", url, policy))

    return at


def order(name, key="k"):
    return base.Order(f"{name}-{key}", "somebody", offer.Capability.APPOINTMENT, "dental", name)


async def offered(connector):
    [found] = await connector.answer([WEEK])
    return {one.id: one for one in found}


async def test_slots_are_read_from_a_server_that_knows_no_include(build, theirs):
    found = await offered(build(theirs))

    assert found["read"].start == datetime(2026, 11, 24, 9, tzinfo=SHANGHAI)
    assert found["read"].where == "Room 7"
    assert found["seats"].remaining == 2


async def test_a_booking_goes_from_held_to_confirmed_to_cancelled(build, theirs):
    connector, wanted = build(theirs), order("steps")

    held = await connector.reserve(wanted)
    assert held.step is base.Step.HELD
    assert "steps" not in await offered(connector)
    assert await connector.find(wanted) == held

    confirmed = await connector.confirm(wanted, held)
    assert (confirmed.step, confirmed.reference) == (base.Step.CONFIRMED, held.reference)
    assert await connector.confirm(wanted, held) == confirmed

    cancelled = await connector.cancel(wanted, confirmed)
    assert cancelled.step is base.Step.CANCELLED
    assert await connector.cancel(wanted, confirmed) == cancelled
    assert await connector.find(wanted) == cancelled
    assert "steps" in await offered(connector)


async def test_of_many_who_want_one_slot_one_gets_it(build, theirs):
    connector = build(theirs)
    orders = [order("race", key) for key in "abcdef"]

    outcomes = await asyncio.gather(
        *(connector.reserve(one) for one in orders), return_exceptions=True
    )

    refused = [one for one in outcomes if isinstance(one, errors.Refused)]
    assert len(refused) == len(orders) - 1
    assert {one.problem for one in refused} == {errors.Problem.CONFLICT}
    found = [await connector.find(one) for one in orders]
    assert [one for one in found if one] == [one for one in outcomes if one not in refused]


async def test_a_slot_that_takes_several_is_free_until_the_last(build, theirs):
    connector = build(theirs)

    first = await connector.reserve(order("seats", "a"))
    assert (await offered(connector))["seats"].remaining == 1
    await connector.reserve(order("seats", "b"))
    assert "seats" not in await offered(connector)

    await connector.cancel(order("seats", "a"), first)
    assert (await offered(connector))["seats"].remaining == 1


async def test_what_was_cancelled_is_not_confirmed(build, theirs):
    connector, wanted = build(theirs), order("late")
    held = await connector.reserve(wanted)
    await connector.cancel(wanted, held)

    with pytest.raises(errors.Refused) as raised:
        await connector.confirm(wanted, held)

    assert raised.value.problem is errors.Problem.CONFLICT


async def test_nothing_is_found_of_what_was_never_booked(build, theirs):
    assert await build(theirs).find(order("read", "never")) is None
    assert await build(theirs).find(order("no-such-slot")) is None


async def test_a_slot_that_is_not_there_is_not_found(build, theirs):
    with pytest.raises(errors.Refused) as raised:
        await build(theirs).reserve(order("no-such-slot"))

    assert raised.value.problem is errors.Problem.NOT_FOUND


async def before(theirs, client_session, odd):
    """Return what passes requests on to their server, but for those that `odd` answers."""

    async def does(request):
        content = await request.read()
        answer = await odd(request, content)
        if answer is not None:
            return answer
        async with client_session.request(
            request.method, theirs + request.path_qs, data=content, headers=request.headers
        ) as reply:
            body = await reply.read()
            return web.Response(
                body=body, status=reply.status, headers={"Content-Type": "application/fhir+json"}
            )

    return does


@pytest.fixture
async def passing(theirs, build):
    """Build a hospital before their server, where `odd` may answer in its place."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(odd):
            session = await stack.enter_async_context(aiohttp.ClientSession())
            does = await before(theirs, session, odd)
            loopback = await stack.enter_async_context(partner.running(does))
            return build(loopback.url)

        yield start


async def test_a_slot_whose_appointment_is_refused_is_free_again(build, theirs, passing):
    async def refuses(request, content):
        return web.Response(status=422) if request.method == "POST" else None

    with pytest.raises(errors.Refused) as raised:
        await (await passing(refuses)).reserve(order("refused"))

    assert not raised.value.may_have_acted
    assert "refused" in await offered(build(theirs))
    assert await build(theirs).find(order("refused")) is None


async def test_an_appointment_whose_answer_was_lost_is_found_by_its_key(build, theirs, passing):
    lost = asyncio.Event()

    async def loses(request, content):
        if request.method != "POST" or lost.is_set():
            return None
        lost.set()
        made = json.loads(content) | {"id": "made-and-lost"}
        async with http.HTTPClient(allow=egress.LOOPBACK) as direct:
            await direct.partner("direct", theirs).send(
                "PUT", "Appointment/made-and-lost", content=json.dumps(made).encode()
            )
        return web.Response(status=500)

    connector = await passing(loses)
    with pytest.raises(errors.PartnerError) as raised:
        await connector.reserve(order("lost"))

    assert raised.value.may_have_acted
    found = await connector.find(order("lost"))
    assert (found.step, found.reference) == (base.Step.HELD, "Appointment/made-and-lost")


async def test_a_slot_that_was_taken_before_all_went_dark_goes_on_from_there(
    build, theirs, passing
):
    async def dies(request, content):
        return web.Response(status=500) if request.method == "POST" else None

    with pytest.raises(errors.PartnerError) as raised:
        await (await passing(dies)).reserve(order("half"))
    connector = build(theirs)
    held = await connector.find(order("half"))

    assert raised.value.may_have_acted
    assert (held.step, held.reference) == (base.Step.HELD, "Slot/half")
    confirmed = await connector.confirm(order("half"), held)
    assert confirmed.step is base.Step.CONFIRMED
    assert await connector.find(order("half")) == confirmed


async def test_an_undo_that_fails_is_told_of(theirs, passing):
    replaced = []

    async def refuses_twice(request, content):
        if request.method == "PUT":
            replaced.append(request.path)
        again = request.method == "PUT" and len(replaced) > 1
        return web.Response(status=422) if request.method == "POST" or again else None

    with pytest.raises(errors.Refused) as raised:
        await (await passing(refuses_twice)).reserve(order("read"))

    assert raised.value.may_have_acted


async def test_an_appointment_is_for_one(build, theirs):
    two = base.Order("k", "somebody", offer.Capability.APPOINTMENT, "dental", "read", units=2)

    with pytest.raises(errors.Refused):
        await build(theirs).reserve(two)


@pytest.mark.parametrize(
    ("path", "version", "shown"),
    [
        ("jinzhong-road-hospital/fhir/r4/", "R4", credential.Header("X-Api-Key", KEY)),
        ("tianshan-clinic/fhir/r5/", "R5", credential.Basic("greenway", PASSWORD)),
    ],
)
async def test_the_sandbox_is_booked_in_both_versions(running, client, path, version, shown):
    system = await running("hospital")
    asked = client.partner("sandbox", f"{system.url}/{path}", credentials=shown)
    connector = hospital.Hospital(hospital.Options(fhir_version=version), asked)
    seats = {name: one.remaining for name, one in (await offered(connector)).items()}
    name = min(seats)
    orders = [order(name, str(number)) for number in range(seats[name])]

    held = [await connector.reserve(one) for one in orders]

    assert {one.step for one in held} == {base.Step.HELD}
    assert name not in await offered(connector)
    assert await connector.find(orders[0]) == held[0]
    with pytest.raises(errors.Refused) as raised:
        await connector.reserve(order(name, "late"))
    assert raised.value.problem is errors.Problem.CONFLICT
    confirmed = await connector.confirm(orders[0], held[0])
    assert confirmed.step is base.Step.CONFIRMED
    assert (await connector.cancel(orders[0], confirmed)).step is base.Step.CANCELLED
    assert (await offered(connector))[name].remaining == 1


async def test_it_is_connected_and_booked_by_its_file_alone(connected, theirs):
    connector = connected("plane-tree-hospital", theirs)

    held = await connector.reserve(order("file"))
    confirmed = await connector.confirm(order("file"), held)

    assert confirmed.step is base.Step.CONFIRMED
    assert "file" not in await offered(connector)


async def test_a_slot_without_a_version_is_not_booked(odd):
    connector, calls = await odd(hospital.Hospital, {}, slot("a", 9))

    with pytest.raises(errors.Misconfigured, match="version"):
        await connector.reserve(order("a"))

    assert [call.method for call in calls] == ["GET"]


async def test_an_appointment_of_no_known_status_is_a_bad_answer_that_may_have_acted(odd):
    versioned = slot("a", 9) | {"meta": {"versionId": "1"}}
    dreamt = {"resourceType": "Appointment", "id": "1", "status": "dreamt"}
    connector, _ = await odd(hospital.Hospital, {}, versioned, versioned, dreamt)

    with pytest.raises(errors.Misconfigured) as raised:
        await connector.reserve(order("a"))

    assert raised.value.problem is errors.Problem.BAD_ANSWER
    assert raised.value.may_have_acted


async def test_a_search_that_is_refused_finds_nothing_out(odd):
    empty = {"resourceType": "Bundle", "type": "searchset"}

    async def refuses(request):
        if request.path == "/Appointment":
            return web.json_response(empty, content_type="application/fhir+json")
        return web.Response(status=422)

    async with partner.running(refuses) as loopback, partner.client() as client:
        connector = hospital.Hospital(hospital.Options(), client.partner("odd", loopback.url))
        with pytest.raises(errors.Refused):
            await connector.find(order("a"))
