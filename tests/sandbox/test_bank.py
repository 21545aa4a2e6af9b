"""The sandbox's banks publish open data: a branch locator and reference rates."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

CUBE = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"


@pytest.mark.parametrize(
    ("slug", "opening"), [("xinhua-bank", "09:00"), ("jiangsu-road-bank", "08:30:00+0000")]
)
async def test_each_locator_nests_brands_and_branches_and_spells_times_its_way(
    running, client, slug, opening
):
    system = await running("bank")

    async with client.get(f"{system.url}/{slug}/open-banking/v2.3/branches") as reply:
        assert reply.content_type == "application/prs.openbanking.opendata.v2.3+json"
        locator = await reply.json(content_type=None)

    [branches] = [brand["Branch"] for data in locator["data"] for brand in data["Brand"]]
    assert len(branches) == locator["meta"]["TotalResults"]
    days = branches[0]["Availability"]["StandardAvailability"]["Day"]
    assert days[0]["OpeningHours"][0]["OpeningTime"] == opening
    where = branches[0]["PostalAddress"]["GeoLocation"]["GeographicCoordinates"]
    assert isinstance(where["Latitude"], str)


async def test_what_has_not_changed_is_not_sent_again(running, client):
    system = await running("bank")
    url = f"{system.url}/xinhua-bank/open-banking/v2.3/branches"

    async with (
        client.get(url) as first,
        client.get(url, headers={"If-None-Match": first.headers["ETag"]}) as second,
    ):
        assert (first.status, second.status) == (200, 304)
        assert await second.read() == b""


async def test_rates_are_of_the_last_working_day(running, client):
    system = await running("bank")
    url = f"{system.url}/hongqiao-exchange/stats/eurofxref/eurofxref-daily.xml"

    async with client.get(url) as reply:
        root = ElementTree.fromstring(await reply.text())  # noqa: S314 - our own answer

    cube = root.find(f"{CUBE}/{CUBE}")
    # The clock says Sunday 22 November.
    assert cube.attrib["time"] == "2026-11-20"
    rates = {row.attrib["currency"]: float(row.attrib["rate"]) for row in cube}
    assert rates["CNY"] == pytest.approx(8.2317, rel=0.006)
