"""The kind of SMART Scheduling Links against odd publishers."""

from __future__ import annotations

import json

import pytest

from connectors import errors
from connectors.kinds import scheduling

SLOT = {
    "resourceType": "Slot",
    "id": "s-1",
    "status": "free",
    "schedule": {"reference": "Schedule/1"},
    "start": "2026-11-24T02:00:00Z",
    "end": "2026-11-24T02:15:00Z",
}
SCHEDULE = {
    "resourceType": "Schedule",
    "id": "1",
    "actor": [{"reference": "Location/9", "display": "Willow Lane Clinic"}],
    "serviceType": [{"coding": [{"code": "flu"}], "text": "Influenza vaccination"}],
}


def manifest(*urls, **more):
    return {"output": [{"type": "Slot", "url": url, **more} for url in urls]}


def lines(*resources):
    return "\n".join(json.dumps(one) for one in resources)


async def test_a_service_is_known_by_the_publishers_own_code(odd, asked):
    options = {"codes": {"vaccination": "flu"}}
    connector, _ = await odd(scheduling.Scheduling, options, manifest("/a"), lines(SLOT, SCHEDULE))

    [[found], nothing] = await connector.answer(
        [asked("appointment", "vaccination"), asked("appointment", "dental")]
    )

    assert (found.title, found.where) == ("Influenza vaccination", "Willow Lane Clinic")
    assert nothing == []


async def test_files_of_other_types_and_states_are_not_read(odd, asked):
    elsewhere = manifest("/a", extension={"state": ["JS"]})["output"]
    other = [{"type": "Weather", "url": "/b"}]
    connector, calls = await odd(
        scheduling.Scheduling, {"states": ["SH"]}, {"output": elsewhere + other}
    )

    assert await connector.answer([asked("appointment", "flu")]) == [[]]
    assert len(calls) == 1


async def test_a_file_on_a_host_that_is_not_declared_is_not_fetched(odd, asked):
    connector, calls = await odd(
        scheduling.Scheduling, {}, manifest("http://169.254.169.254/latest")
    )

    with pytest.raises(errors.Misconfigured) as raised:
        await connector.answer([asked("appointment", "flu")])

    assert raised.value.problem is errors.Problem.FORBIDDEN_ADDRESS
    assert len(calls) == 1


async def test_more_files_than_pages_are_a_bad_answer(odd, asked):
    urls = [f"/{number}" for number in range(21)]
    connector, calls = await odd(scheduling.Scheduling, {}, manifest(*urls))

    with pytest.raises(errors.Misconfigured, match="20 files"):
        await connector.answer([asked("appointment", "flu")])

    assert len(calls) == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (lines(SLOT)[:-9], errors.Problem.UNREADABLE),
        ("[1]", errors.Problem.BAD_ANSWER),
        (lines(SLOT | {"start": "soon"}), errors.Problem.BAD_ANSWER),
        (lines(SLOT), errors.Problem.BAD_ANSWER),
    ],
)
async def test_a_file_that_is_no_list_of_slots_says_what_it_is(odd, asked, text, problem):
    connector, _ = await odd(scheduling.Scheduling, {}, manifest("/a"), text)

    with pytest.raises(errors.Misconfigured) as raised:
        await connector.answer([asked("appointment", "flu")])

    assert raised.value.problem is problem
