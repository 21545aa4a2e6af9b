"""A person books, confirms, gives back; what goes wrong in between is told, and settled."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

import pytest

from models import demo
from resolvers import booking
from tests import booth as cinema
from tests import partner
from tests.booth import OTHER_SEAT, RESERVE, SEAT

ROOT = Path(__file__).parents[2]

_BOOKING = """... on Booking { id state reference problem { code } }
  ... on Fault { __typename code } ... on BookingStateFault { booking { id state } }
  ... on NotDoneFault { booking { id state problem { code } } }"""
CONFIRM = f"""mutation ($input: ConfirmBookingInput!) {{
  confirmBooking(input: $input) {{ {_BOOKING} }} }}"""
CANCEL = f"""mutation ($input: CancelBookingInput!) {{
  cancelBooking(input: $input) {{ {_BOOKING} }} }}"""
SETTLE = """mutation ($input: SettleBookingInput!) { settleBooking(input: $input) {
  ... on Booking { id state problem { code } } ... on Fault { __typename code } } }"""
MINE = "{ bookings { id state service partnerCode offer capability units } }"
OFFERS = """{ service(code: "film-tickets") { ... on Service { offers { pages {
  partnerCode freshness nodes { id } } } } } }"""

pytestmark = pytest.mark.viewer("holder", demo.RETURNEE)


@pytest.fixture
async def booth(hub):
    """The cinema, at work in the hub."""
    booth = cinema.Booth()
    async with partner.running(booth.does) as booth.loopback:
        await cinema.join(hub, booth.loopback.url)
        yield booth


@pytest.fixture
def act(ask, booth):
    """Do one act and return what came of it."""

    async def act(document: str, given, **who):
        answer = (await ask(document, {"input": given}, **who)).json()
        assert "errors" not in answer
        (came,) = answer["data"].values()
        return came

    return act


@pytest.fixture
def states(ask):
    async def states():
        return [one["state"] for one in (await ask(MINE)).json()["data"]["bookings"]]

    return states


def sent(booth) -> list[str]:
    """Return how the booth was asked for bookings, in order."""
    return [call.method for call in booth.loopback.calls if call.path == "/bookings"]


async def test_a_seat_is_held_confirmed_and_given_back(act, ask, booth):
    held = await act(RESERVE, SEAT)
    (mine,) = (await ask(MINE)).json()["data"]["bookings"]
    confirmed = await act(CONFIRM, {"id": held["id"]})
    cancelled = await act(CANCEL, {"id": held["id"]})

    assert held == {
        "id": mine["id"],
        "state": "HELD",
        "title": "The Lantern Maker",
        "startsAt": "2026-11-23T02:00:00+00:00",
        "reference": "R-1",
        "expiresAt": "2026-11-22T02:15:00+00:00",
        "retryAfter": None,
        "problem": None,
        "partner": {"code": cinema.SLUG},
    }
    assert mine == {
        "id": held["id"],
        "state": "HELD",
        "service": "film-tickets",
        "partnerCode": cinema.SLUG,
        "offer": "a-1",
        "capability": "SHOWING",
        "units": 1,
    }
    assert (confirmed["state"], cancelled["state"]) == ("CONFIRMED", "CANCELLED")
    assert sent(booth) == ["POST", "PUT", "PUT"]


async def test_the_partner_hears_a_pseudonym_and_a_key_and_nothing_else_of_the_person(
    act, hub, booth
):
    await act(RESERVE, SEAT)

    ((key, kept),) = booth.bookings.items()
    pseudonyms = hub.hub.authority.pseudonyms
    assert kept["person"] == pseudonyms.of(cinema.SLUG, demo.handle(demo.RETURNEE))
    assert len(key) == 22
    assert key not in SEAT.values()


async def test_sent_many_times_at_once_it_is_one_booking_and_one_call(act, booth):
    came = await asyncio.gather(*(act(RESERVE, SEAT) for _ in range(8)))

    assert len({one["id"] for one in came}) == 1
    assert {one["state"] for one in came} <= {"HELD", "RESERVING"}
    assert sent(booth) == ["POST"]
    assert (await act(RESERVE, SEAT))["state"] == "HELD"


async def test_the_page_after_a_booking_is_as_the_partner_has_it_now(act, ask):
    async def page():
        pages = (await ask(OFFERS)).json()["data"]["service"]["offers"]["pages"]
        found = next(one for one in pages if one["partnerCode"] == cinema.SLUG)
        return found["freshness"], [one["id"] for one in found["nodes"]]

    before, cached = await page(), await page()
    await act(RESERVE, SEAT)
    after = await page()

    assert (before, cached[0]) == (("LIVE", ["a-1", "a-2"]), "CACHED")
    assert after == ("LIVE", ["a-2"])


async def test_a_key_that_stands_for_another_seat_is_a_fault(act, booth):
    await act(RESERVE, SEAT)

    fault = await act(RESERVE, {**SEAT, "offer": "a-2"})

    assert (fault["__typename"], fault["code"]) == ("KeyReusedFault", "KEY_REUSED")
    assert sent(booth) == ["POST"]


async def test_a_seat_that_somebody_else_took_since_is_a_conflict(act, ask, booth):
    await ask(OFFERS)
    booth.bookings["another"] = {"seat": "a-1", "state": "held"}

    fault = await act(RESERVE, SEAT)

    assert (fault["__typename"], fault["code"]) == ("NotDoneFault", "PARTNER_CONFLICT")
    assert fault["booking"]["state"] == "REFUSED"
    assert (await act(RESERVE, OTHER_SEAT))["state"] == "HELD"


async def test_a_lost_answer_leaves_it_uncertain_until_the_partner_is_asked(act, booth, states):
    booth.answering.clear()
    lost = await act(RESERVE, SEAT)
    before = await states()
    booth.answering.set()

    settled = await act(SETTLE, {"id": lost["id"]})

    assert (lost["state"], lost["problem"]["code"]) == ("UNCERTAIN", "PARTNER_TIMEOUT")
    assert before == ["UNCERTAIN"]
    assert (settled["state"], settled["problem"]) == ("HELD", None)
    assert sent(booth) == ["POST", "GET"]


async def test_an_act_is_never_tried_again_by_itself(act, booth):
    held = await act(RESERVE, SEAT)
    booth.fails = 503

    lost = await act(CONFIRM, {"id": held["id"]})

    assert (lost["state"], lost["problem"]["code"]) == ("UNCERTAIN", "PARTNER_UNWELL")
    assert sent(booth) == ["POST", "PUT"]


async def test_what_cannot_follow_is_a_fault_with_the_booking(act):
    held = await act(RESERVE, SEAT)
    await act(CANCEL, {"id": held["id"]})

    fault = await act(CONFIRM, {"id": held["id"]})

    assert fault == {
        "__typename": "BookingStateFault",
        "code": "BOOKING_STATE",
        "booking": {"id": held["id"], "state": "CANCELLED"},
    }


async def test_a_hold_runs_out(act, hub, states):
    held = await act(RESERVE, SEAT)
    hub.clock.pass_seconds(cinema.HOLD.total_seconds())

    fault = await act(CONFIRM, {"id": held["id"]})

    assert await states() == ["EXPIRED"]
    assert fault["booking"]["state"] == "EXPIRED"


async def test_nobody_gets_at_the_booking_of_another(act, ask):
    held = await act(RESERVE, SEAT)
    other = {"viewer": "holder", "person": demo.PILOT}

    for document in (CONFIRM, CANCEL, SETTLE):
        assert (await act(document, {"id": held["id"]}, **other))["code"] == "UNKNOWN_BOOKING"
    assert (await ask(MINE, **other)).json()["data"]["bookings"] == []


@pytest.mark.parametrize(
    ("viewer", "code"), [("anonymous", "UNAUTHENTICATED"), ("officer", "FORBIDDEN")]
)
async def test_only_people_book(ask, booth, viewer, code):
    for document, given in ((RESERVE, SEAT), (CANCEL, {"id": "x"}), (SETTLE, {"id": "x"})):
        answer = await ask(document, {"input": given}, viewer=viewer)

        assert answer.codes == [code]
    assert (await ask(MINE, viewer=viewer)).codes == [code]
    assert sent(booth) == []


async def test_a_partner_whose_file_books_nothing_is_asked_for_nothing(act, hub, booth):
    await cinema.join(hub, booth.loopback.url, books=[])

    fault = await act(RESERVE, SEAT)

    assert (fault["__typename"], fault["code"]) == ("NotBookableFault", "NOT_BOOKABLE")
    assert sent(booth) == []


async def test_the_log_learns_neither_the_key_nor_the_person(act, booth, caplog, hub):
    caplog.set_level(logging.DEBUG, logger="greenway")
    booth.answering.clear()
    lost = await act(RESERVE, SEAT)
    booth.answering.set()
    await act(SETTLE, {"id": lost["id"]})

    ((key, kept),) = booth.bookings.items()
    assert "greenway.connectors" in caplog.text
    assert [one for one in (key, kept["person"], kept["reference"]) if one in caplog.text] == []


async def test_a_hub_killed_while_a_partner_books_leaves_it_to_the_next_one(
    act, booth, states, hub, furnished_url, tmp_path
):
    booth.answering.clear()
    other = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.booth", furnished_url, tmp_path, booth.loopback.url),
        cwd=ROOT,
    )
    async with asyncio.timeout(60):
        await booth.acted.wait()
    other.kill()
    await other.wait()
    booth.answering.set()

    at_once = await states()
    hub.clock.pass_seconds(booking.LEASE.total_seconds())
    later = await states()
    found = await act(RESERVE, SEAT)

    assert (at_once, later) == (["RESERVING"], ["UNCERTAIN"])
    assert (found["state"], found["reference"]) == ("HELD", "R-1")
    assert sent(booth) == ["POST", "GET"]
