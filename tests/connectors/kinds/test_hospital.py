"""The hospital kind against the sandbox's FHIR servers, and against odd ones."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta, timezone

import pytest

from connectors import credential, errors
from connectors.kinds import hospital
from sandbox import secret

KEY = credential.Header("X-Api-Key", secret.VALUES["jinzhong-road-hospital-key"])
SLOT = {
    "resourceType": "Slot",
    "id": "a",
    "serviceType": [{"coding": [{"code": "dental", "display": "Dental care"}]}],
    "schedule": {"reference": "Schedule/s"},
    "status": "free",
    "start": "2026-11-24T09:00:00+08:00",
    "end": "2026-11-24T09:30:00+08:00",
}
SCHEDULE = {
    "resourceType": "Schedule",
    "id": "s",
    "actor": [{"reference": "Location/1", "display": "Room 1"}],
}


def bundle(*resources, following=None):
    links = [{"relation": "next", "url": following}] if following else []
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}


def slot(**changed):
    return copy.deepcopy(SLOT) | changed


def without(name):
    return {key: value for key, value in SLOT.items() if key != name}


@pytest.fixture
async def jinzhong(running, client):
    system = await running("hospital")
    address = f"{system.url}/jinzhong-road-hospital/fhir/r4/"
    partner = client.partner("jinzhong-road-hospital", address, credentials=KEY)
    return system, lambda **options: hospital.Hospital(hospital.Options(**options), partner)


async def test_many_inquiries_are_one_search_answered_each_by_its_topic_and_window(jinzhong, asked):
    system, build = jinzhong
    monday = datetime(2026, 11, 23, tzinfo=timezone(timedelta(hours=8)))
    inquiries = [
        asked("appointment", "dental"),
        asked("appointment", "physical-check", until=monday),
        asked("appointment", "dental", since=monday, until=monday + timedelta(days=1)),
        asked("appointment", "nothing-of-the-kind"),
    ]

    dental, checks, monday_dental, nothing = await build(page_size=500).answer(inquiries)

    assert system.calls == {"jinzhong-road-hospital": 1}
    assert {one.title for one in dental} == {"Dental care"}
    assert {one.where for one in checks} == {"Check-up Centre, Building 5"}
    assert checks
    assert all(inquiries[0].since <= one.start < monday for one in checks)
    assert monday_dental == [one for one in dental if one.start.date() == monday.date()]
    assert monday_dental
    assert nothing == []


async def test_offers_come_sorted_with_what_the_front_end_draws(jinzhong, asked):
    _, build = jinzhong

    [offers] = await build().answer([asked("appointment", "health-certificate")])

    assert offers == sorted(offers, key=lambda one: (one.start, one.id))
    first = offers[0]
    assert first.end - first.start == timedelta(minutes=45)
    assert first.remaining in {1, 2, 3}
    assert first.url == f"https://jinzhong-road-hospital.example/book?slot={first.id}"


async def test_small_pages_are_followed_to_the_same_answer(jinzhong, asked):
    system, build = jinzhong
    inquiries = [
        asked("appointment", "dental", until=asked("appointment", "x").since.replace(day=26))
    ]

    whole = await build(page_size=500).answer(inquiries)
    calls = system.calls.total()
    paged = await build(page_size=5).answer(inquiries)

    assert paged == whole
    assert system.calls.total() - calls == -(-len(whole[0]) // 5)


async def test_an_r5_hospital_is_asked_for_r5_and_read_as_r5(running, client, asked):
    system = await running("hospital")
    address = f"{system.url}/tianshan-clinic/fhir/r5/"
    basic = credential.Basic("greenway", secret.VALUES["tianshan-clinic-password"])
    partner = client.partner("tianshan-clinic", address, credentials=basic)
    clinic = hospital.Hospital(hospital.Options(fhir_version="R5", page_size=500), partner)

    [offers] = await clinic.answer([asked("appointment", "vaccination")])

    assert {one.title for one in offers} == {"Vaccination"}
    assert {one.where for one in offers} == {"Tianshan Clinic, Vaccination Room"}


async def test_an_r5_hospital_asked_for_r4_refuses(running, client, asked):
    system = await running("hospital")
    address = f"{system.url}/tianshan-clinic/fhir/r5/"
    basic = credential.Basic("greenway", secret.VALUES["tianshan-clinic-password"])
    partner = client.partner("tianshan-clinic", address, credentials=basic)

    with pytest.raises(errors.PartnerError):
        await hospital.Hospital(hospital.Options(), partner).answer(
            [asked("appointment", "dental")]
        )


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        (without("start"), "start"),
        (without("schedule"), "schedule"),
        (without("status"), "status"),
        (slot(start="2026-02-30T09:00:00+08:00"), "start"),
        (slot(start="2026-11-24T09:00:00"), "start"),
        (slot(status="weird"), "status"),
        (slot(serviceType="dental"), "serviceType"),
    ],
)
async def test_a_slot_that_does_not_fit_is_a_bad_answer_that_says_where(odd, asked, wrong, place):
    connector, _ = await odd(hospital.Hospital, {}, bundle(wrong, SCHEDULE))

    with pytest.raises(errors.Misconfigured, match=place) as raised:
        await connector.answer([asked("appointment", "dental")])

    assert raised.value.problem is errors.Problem.BAD_ANSWER
    assert "weird" not in str(raised.value)


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"resourceType": "Bundle", "type": "batch"},
        {"resourceType": "OperationOutcome", "issue": []},
        bundle(SLOT),
        bundle(SLOT, {"resourceType": "Schedule", "id": "s"}),
    ],
)
async def test_an_answer_that_is_no_search_result_is_bad(odd, asked, body):
    connector, _ = await odd(hospital.Hospital, {}, body)

    with pytest.raises(errors.Misconfigured) as raised:
        await connector.answer([asked("appointment", "dental")])

    assert raised.value.problem is errors.Problem.BAD_ANSWER


async def test_the_status_is_read_and_the_narrative_is_not(odd, asked):
    text = {"status": "generated", "div": "<div>Free</div>"}
    busy = slot(id="b", status="busy", text=text)
    free = slot(id="f", text={"status": "generated", "div": "<div>Busy</div>"})
    connector, _ = await odd(hospital.Hospital, {}, bundle(busy, free, SCHEDULE))

    [offers] = await connector.answer([asked("appointment", "dental")])

    assert [one.id for one in offers] == ["f"]


async def test_a_slot_without_service_types_has_its_schedules(odd, asked):
    schedule = SCHEDULE | {"serviceType": SLOT["serviceType"]}
    connector, _ = await odd(hospital.Hospital, {}, bundle(without("serviceType"), schedule))

    [offers] = await connector.answer([asked("appointment", "dental")])

    assert [one.title for one in offers] == ["Dental care"]


async def test_outcomes_and_strangers_in_the_bundle_are_passed_over(odd, asked):
    outcome = {"resourceType": "OperationOutcome", "issue": []}
    other = slot(id="o", serviceType=[{"coding": [{"code": "surgery"}]}])
    connector, _ = await odd(hospital.Hospital, {}, bundle(outcome, other, SLOT, SCHEDULE))

    [offers] = await connector.answer([asked("appointment", "dental")])

    assert [one.id for one in offers] == ["a"]


async def test_a_slot_met_on_two_pages_is_one_offer(odd, asked):
    first = bundle(SLOT, SCHEDULE, following="Slot?page=2")
    connector, requests = await odd(hospital.Hospital, {}, first, bundle(SLOT, SCHEDULE))

    [offers] = await connector.answer([asked("appointment", "dental")])

    assert [one.id for one in offers] == ["a"]
    assert len(requests) == 2


async def test_pages_without_end_are_a_bad_answer(odd, asked):
    endless = bundle(SLOT, SCHEDULE, following="Slot?again=1")
    connector, requests = await odd(hospital.Hospital, {}, endless)

    with pytest.raises(errors.Misconfigured, match="pages"):
        await connector.answer([asked("appointment", "dental")])

    assert len(requests) <= 20


async def test_a_booking_link_that_is_no_web_address_is_a_bad_answer(odd, asked):
    url = "http://fhir-registry.smarthealthit.org/StructureDefinition/booking-deep-link"
    wrong = slot(extension=[{"url": url, "valueUrl": "javascript:alert(1)"}])
    connector, _ = await odd(hospital.Hospital, {}, bundle(wrong, SCHEDULE))

    with pytest.raises(errors.Misconfigured):
        await connector.answer([asked("appointment", "dental")])


async def test_a_hospitals_own_codes_stand_for_topics(odd, asked):
    coded = slot(serviceType=[{"coding": [{"code": "57"}], "text": "Teeth"}])
    options = {"codes": {"dental": "57"}}
    connector, requests = await odd(hospital.Hospital, options, bundle(coded, SCHEDULE))

    [offers] = await connector.answer([asked("appointment", "dental")])

    assert [one.title for one in offers] == ["Teeth"]
    assert requests[0].query["service-type"] == "57"


async def test_extensions_that_are_not_used_may_hold_anything(odd, asked):
    strange = slot(extension=[{"url": "urn:x", "valueUrl": "urn:oid:1.2"}, {"url": []}, {}])
    connector, _ = await odd(hospital.Hospital, {}, bundle(strange, SCHEDULE))

    [[found]] = await connector.answer([asked("appointment", "dental")])

    assert (found.url, found.remaining) == (None, None)


async def test_of_extensions_only_those_of_an_offered_slot_are_read_and_the_first_holds(odd, asked):
    url = "http://fhir-registry.smarthealthit.org/StructureDefinition/slot-capacity"
    busy = slot(id="b", status="busy", extension=[{"url": url, "valueInteger": -1}])
    twice = [{"url": url, "valueInteger": 2}, {"url": url, "valueInteger": -1}]
    connector, _ = await odd(hospital.Hospital, {}, bundle(busy, slot(extension=twice), SCHEDULE))

    [[found]] = await connector.answer([asked("appointment", "dental")])

    assert found.remaining == 2


@pytest.mark.parametrize("wrong", [{"valueInteger": -1}, {"valueInteger": "many"}, {}])
async def test_a_capacity_that_is_no_count_is_a_bad_answer_that_says_where(odd, asked, wrong):
    url = "http://fhir-registry.smarthealthit.org/StructureDefinition/slot-capacity"
    full = slot(extension=[{"url": url} | wrong])
    connector, _ = await odd(hospital.Hospital, {}, bundle(full, SCHEDULE))

    with pytest.raises(errors.Misconfigured, match="valueInteger"):
        await connector.answer([asked("appointment", "dental")])


async def test_a_slot_met_again_as_taken_is_no_offer(odd, asked):
    first = bundle(SLOT, SCHEDULE, following="Slot?page=2")
    connector, _ = await odd(hospital.Hospital, {}, first, bundle(slot(status="busy"), SCHEDULE))

    [offers] = await connector.answer([asked("appointment", "dental")])

    assert offers == []
