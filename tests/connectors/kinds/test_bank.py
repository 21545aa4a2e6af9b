"""The bank kind against the sandbox's locators and rates, and against odd ones."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from connectors import errors
from connectors.kinds import bank

SHANGHAI = ZoneInfo("Asia/Shanghai")
SERVICES = {
    "remittance": ["AssistedServiceCounter"],
    "account-opening": ["SelfServiceAccountOpening"],
}
BRANCHES = {"serves": "branches", "services": SERVICES}
JSON = "application/prs.openbanking.opendata.v2.3+json"


def moment(day, hour, minute=0):
    return datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI)


def locator(*branches):
    return {"data": [{"Brand": [{"BrandName": "B", "Branch": list(branches)}]}]}


def branch(hours=None, **changed):
    week = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
    days = [
        {"Name": name, "OpeningHours": [{"OpeningTime": opens, "ClosingTime": closes}]}
        for name in week
        for opens, closes in hours or [("09:00", "17:00")]
    ]
    return {
        "Identification": "1",
        "Name": "Branch",
        "ServiceAndFacility": ["AssistedServiceCounter"],
        "Availability": {"StandardAvailability": {"Day": days}},
        "PostalAddress": {"AddressLine": ["1 Example Road"]},
    } | changed


def feed(rows, day="2026-11-20"):
    return (
        '<e:Envelope xmlns:e="http://www.gesmes.org/xml/2002-08-01"'
        ' xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">'
        f'<Cube><Cube time="{day}">{rows}</Cube></Cube></e:Envelope>'
    )


def row(currency, rate):
    return f'<Cube currency="{currency}" rate="{rate}"/>'


async def test_many_inquiries_are_one_call_to_the_locator(running, client, asked):
    system = await running("bank")
    partner = client.partner("xinhua-bank", f"{system.url}/xinhua-bank/")
    xinhua = bank.Bank(bank.Options.model_validate(BRANCHES), partner)
    inquiries = [asked("pass", "remittance"), asked("pass", "account-opening"), asked("pass", "x")]

    remittance, opening, nothing = await xinhua.answer(inquiries)

    assert system.calls == {"xinhua-bank": 1}
    # A Sunday at eight: the branch that opens at nine comes before the one that opens on Monday.
    assert [(one.id, one.window_start) for one in remittance] == [
        ("XH-002", moment(22, 9)),
        ("XH-001", moment(23, 9)),
    ]
    assert [one.id for one in opening] == ["XH-001", "XH-003"]
    assert nothing == []
    step_free = remittance[1].attributes
    assert ("WheelchairAccess", "Wheelchair access", "yes") in [
        (one.name, one.label, one.value) for one in step_free
    ]


@pytest.mark.parametrize("slug", ["xinhua-bank", "jiangsu-road-bank"])
async def test_both_spellings_of_a_time_of_day_are_local_times(running, client, asked, slug):
    system = await running("bank")
    locates = bank.Bank(
        bank.Options.model_validate(BRANCHES), client.partner(slug, f"{system.url}/{slug}/")
    )

    [passes] = await locates.answer([asked("pass", "remittance")])

    assert {one.window_start.hour for one in passes} <= {8, 9}
    assert {one.window_end.tzinfo for one in passes} == {SHANGHAI}


@pytest.mark.parametrize(
    ("hours", "since", "window"),
    [
        ([("09:00", "17:00")], moment(23, 8), (moment(23, 9), moment(23, 17))),
        ([("09:00", "17:00")], moment(23, 12), (moment(23, 9), moment(23, 17))),
        ([("09:00", "17:00")], moment(23, 17), (moment(24, 9), moment(24, 17))),
        ([("09:00", "17:00")], moment(27, 18), (moment(30, 9), moment(30, 17))),
        (
            [("13:00", "17:00"), ("09:00", "12:00")],
            moment(23, 12),
            (moment(23, 13), moment(23, 17)),
        ),
        ([("09:00:00+0000", "17:30:00+0000")], moment(23, 8), (moment(23, 9), moment(23, 17, 30))),
        ([("20:00", "00:00")], moment(23, 21), (moment(23, 20), moment(24, 0))),
    ],
)
async def test_the_window_is_the_next_opening(odd, asked, hours, since, window):
    connector, _ = await odd(bank.Bank, BRANCHES, locator(branch(hours)), content_type=JSON)

    [[found]] = await connector.answer(
        [asked("pass", "remittance", since, since + timedelta(days=7))]
    )

    assert (found.window_start, found.window_end) == window


async def test_a_branch_closed_all_the_time_gives_no_pass(odd, asked):
    connector, _ = await odd(bank.Bank, BRANCHES, locator(branch()), content_type=JSON)

    [passes] = await connector.answer([asked("pass", "remittance", moment(28, 9), moment(30, 0))])

    assert passes == []


async def test_unknown_hours_are_no_window_and_come_last(odd, asked):
    unknown = branch(Identification="0", Availability=None)
    connector, _ = await odd(bank.Bank, BRANCHES, locator(unknown, branch()), content_type=JSON)

    [passes] = await connector.answer([asked("pass", "remittance")])

    assert [(one.id, one.window_start) for one in passes] == [("1", moment(23, 9)), ("0", None)]


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"Identification": None}, "Identification"),
        ({"PostalAddress": None}, "PostalAddress"),
        ({"Availability": {}}, "StandardAvailability"),
        (branch([("nine", "17:00")]), "OpeningTime"),
        ({"Availability": {"StandardAvailability": {"Day": [{"Name": "Mon"}]}}}, "Day.0.Name"),
        (branch([("09:00", "25:00")]), "ClosingTime"),
        (
            {"PostalAddress": {"GeoLocation": {"GeographicCoordinates": {"Latitude": "north"}}}},
            "Latitude",
        ),
    ],
)
async def test_a_branch_that_does_not_fit_is_a_bad_answer_that_says_where(
    odd, asked, changed, place
):
    connector, _ = await odd(bank.Bank, BRANCHES, locator(branch() | changed), content_type=JSON)

    with pytest.raises(errors.Misconfigured, match=place) as raised:
        await connector.answer([asked("pass", "remittance")])

    assert raised.value.problem is errors.Problem.BAD_ANSWER


async def test_rates_are_crossed_to_yuan_in_decimals_and_called_reference(running, client, asked):
    system = await running("bank")
    partner = client.partner("x", f"{system.url}/hongqiao-exchange/stats/eurofxref/")
    exchange = bank.Bank(bank.Options(serves="rates", currencies=("USD", "EUR", "THB")), partner)

    [quotes] = await exchange.answer([asked("quote", "rates")])

    assert system.calls == {"hongqiao-exchange": 1}
    assert [one.instrument for one in quotes] == ["EUR/CNY", "USD/CNY"]
    assert {one.observed_on for one in quotes} == {date(2026, 11, 20)}
    assert quotes[1].rate == Decimal("7.07774")
    assert quotes[1].amount is None
    assert quotes[1].attributes[0].value == "reference rate, not a selling price"


async def test_all_the_feeds_currencies_are_quoted_when_none_is_named(odd, asked):
    rows = row("CNY", "6.8095") + row("USD", "1.0163") + row("JPY", "138.05")
    connector, _ = await odd(bank.Bank, {"serves": "rates"}, feed(rows), content_type="text/xml")

    [quotes] = await connector.answer([asked("quote", "rates")])

    assert {one.instrument: one.rate for one in quotes} == {
        "EUR/CNY": Decimal("6.8095"),
        "JPY/CNY": Decimal("0.0493263"),
        "USD/CNY": Decimal("6.70029"),
    }


@pytest.mark.parametrize(
    "body",
    [
        "<wrong/>",
        feed(row("USD", "1.1")),
        feed(row("CNY", "8") + row("USD", "N/A")),
        feed(row("CNY", "8") + row("USD", "0")),
        feed(row("CNY", "8") + row("USD", "-1")),
        feed(row("CNY", "NaN") + row("USD", "1")),
        feed(row("CNY", "8") + row("USD", "Infinity")),
        feed(row("CNY", "1e999999") + row("USD", "1e-999999")),
        feed(row("CNY", "8"), day="20-11-2026"),
        feed('<Cube rate="1"/>'),
        feed(row("CNY", "8")).replace("<Cube time", "<!-- --><Cube tide"),
    ],
)
async def test_rates_that_cannot_be_read_are_a_bad_answer(odd, asked, body):
    connector, _ = await odd(bank.Bank, {"serves": "rates"}, body, content_type="text/xml")

    with pytest.raises(errors.Misconfigured) as raised:
        await connector.answer([asked("quote", "rates")])

    assert raised.value.problem is errors.Problem.BAD_ANSWER


def test_a_locator_can_be_asked_for_passes_and_a_feed_of_rates_for_quotes():
    serves = {one: bank.Options(serves=one) for one in ("branches", "rates")}

    given = {one: bank.Bank.capabilities_of(options) for one, options in serves.items()}

    assert given == {"branches": {"pass"}, "rates": {"quote"}}


async def test_a_partner_gives_only_the_shape_it_serves(odd, asked):
    connector, _ = await odd(bank.Bank, BRANCHES, locator(branch()), content_type=JSON)

    quotes, passes = await connector.answer(
        [asked("quote", "remittance"), asked("pass", "remittance")]
    )

    assert quotes == []
    assert len(passes) == 1


async def test_a_locator_of_the_version_before_is_asked_for_as_such(odd, asked):
    options = BRANCHES | {"version": "2.2"}
    older = JSON.replace("2.3", "2.2")
    connector, requests = await odd(bank.Bank, options, locator(branch()), content_type=older)

    [passes] = await connector.answer([asked("pass", "remittance")])

    assert [one.id for one in passes] == ["1"]
    assert requests[0].path == "/open-banking/v2.2/branches"
    assert requests[0].headers["Accept"] == older
