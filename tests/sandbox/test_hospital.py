"""The sandbox's hospitals speak FHIR: search, pages, capabilities, outcomes."""

from __future__ import annotations

from datetime import datetime

import aiohttp
import pytest

from sandbox import secret

R4 = "/jinzhong-road-hospital/fhir/r4"
R5 = "/tianshan-clinic/fhir/r5"
KEY = {"X-Api-Key": secret.VALUES["jinzhong-road-hospital-key"]}


@pytest.fixture
async def search(running, client):
    system = await running("hospital")

    async def ask(query, headers=KEY, path=f"{R4}/Slot"):
        async with client.get(system.url + path, params=query, headers=headers) as reply:
            assert reply.content_type == "application/fhir+json"
            return reply.status, await reply.json()

    return ask


def slots(bundle):
    return [one["resource"] for one in bundle["entry"] if one["search"]["mode"] == "match"]


async def test_a_search_keeps_to_every_parameter(search):
    query = [
        ("status", "free"),
        ("service-type", "dental,physical-check"),
        ("start", "ge2026-11-23T00:00:00+08:00"),
        ("start", "lt2026-11-24T00:00:00+08:00"),
        ("_include", "Slot:schedule"),
    ]

    status, bundle = await search(query)

    assert status == 200
    found = slots(bundle)
    assert bundle["total"] == len(found) > 0
    assert {one["status"] for one in found} == {"free"}
    assert {one["start"][:10] for one in found} == {"2026-11-23"}
    codes = {one["serviceType"][0]["coding"][0]["code"] for one in found}
    assert codes == {"dental", "physical-check"}
    included = [one["resource"] for one in bundle["entry"] if one["search"]["mode"] == "include"]
    assert {f"Schedule/{one['id']}" for one in included} == {
        one["schedule"]["reference"] for one in found
    }


async def test_a_fortnight_of_slots_begins_on_the_clocks_day(search):
    _, bundle = await search({"_count": "500"})

    days = {one["start"][:10] for one in slots(bundle)}
    assert (min(days), max(days), len(days)) == ("2026-11-22", "2026-12-05", 14)


async def test_next_links_lead_through_all_slots_once(search, client):
    _, bundle = await search({"status": "free", "_count": "40"})
    total, found = bundle["total"], slots(bundle)

    while following := [one["url"] for one in bundle["link"] if one["relation"] == "next"]:
        async with client.get(following[0], headers=KEY) as reply:
            bundle = await reply.json()
        found += slots(bundle)

    assert len({one["id"] for one in found}) == len(found) == total
    starts = [datetime.fromisoformat(one["start"]) for one in found]
    assert starts == sorted(starts)


async def test_r5_wraps_the_service_type(running, client):
    system = await running("hospital")
    password = secret.VALUES["tianshan-clinic-password"]
    headers = {"Authorization": aiohttp.encode_basic_auth("greenway", password)}

    async with client.get(f"{system.url}{R5}/Slot?_count=1", headers=headers) as reply:
        bundle = await reply.json()

    [first] = slots(bundle)
    assert "coding" in first["serviceType"][0]["concept"]


@pytest.mark.parametrize(
    ("query", "headers", "status", "code"),
    [
        ({}, {}, 401, "login"),
        ({}, {"X-Api-Key": "wrong"}, 401, "login"),
        ({"start": "sa2026-11-22"}, KEY, 400, "invalid"),
        ({"start": "ge2026-02-30"}, KEY, 400, "invalid"),
        ({"_count": "0"}, KEY, 400, "invalid"),
        ({}, KEY | {"Accept": "application/fhir+json; fhirVersion=5.0"}, 406, "not-supported"),
    ],
)
async def test_refusals_are_operation_outcomes(search, query, headers, status, code):
    answered, outcome = await search(query, headers)

    assert answered == status
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"][0]["code"] == code


@pytest.mark.parametrize(("base", "version"), [(R4, "4.0.1"), (R5, "5.0.0")])
async def test_capabilities_are_open_to_all_and_name_the_version(search, base, version):
    status, statement = await search({}, {}, f"{base}/metadata")

    assert status == 200
    assert statement["fhirVersion"] == version


@pytest.mark.parametrize("header", ["Basic", "Basic ???", "Bearer x", "Basic Z3JlZW53YXk6eA=="])
async def test_a_basic_header_that_does_not_hold_is_refused(search, header):
    status, _ = await search({}, {"Authorization": header}, f"{R5}/Slot")

    assert status == 401
