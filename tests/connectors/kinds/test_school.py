"""The school kind against the sandbox's OneRoster server, and against odd ones."""

from __future__ import annotations

from datetime import date

import pytest

from connectors import credential, errors
from connectors.kinds import school
from sandbox import school as sandbox_school
from sandbox import secret

OFFICE = "changning-school-office"


def org(number, **changed):
    places = [{"grade": "primary", "intake": "2027-09", "capacity": 40, "remaining": 3}]
    return {
        "sourcedId": f"s-{number:03}",
        "status": "active",
        "name": f"School {number}",
        "metadata": {"places": places},
    } | changed


@pytest.fixture
async def office(running, client):
    system = await running("school")

    def build(scope=sandbox_school.SCOPE, **options):
        oauth2 = credential.OAuth2(
            "oauth2/token", "greenway", secret.VALUES[f"{OFFICE}-secret"], (scope,)
        )
        partner = client.partner(OFFICE, f"{system.url}/{OFFICE}/", credentials=oauth2)
        return school.School(school.Options(**options), partner)

    return system, build


async def test_many_inquiries_are_one_call_after_the_token(office, asked):
    system, build = office
    connector = build()
    grades = ["primary", "middle", "kindergarten", "tutoring", "chinese-language", "university"]
    inquiries = [asked("place", grade) for grade in grades]

    answers = await connector.answer(inquiries)
    await connector.answer(inquiries)

    assert system.calls == {OFFICE: 2, f"{OFFICE}/token": 1}
    assert [len(one) for one in answers] == [2, 2, 2, 1, 2, 0]
    first = answers[0][0]
    assert first.where == "Hongqiao Road Primary School (sandbox)"
    assert (first.intake, first.apply_by) == ("2027-09", date(2027, 5, 31))
    assert 0 <= first.remaining < first.capacity
    assert "Closed School (sandbox)" not in {one.where for answer in answers for one in answer}


async def test_small_pages_are_followed_to_the_same_answer(office, asked):
    system, build = office
    inquiries = [asked("place", "kindergarten")]

    whole = await build().answer(inquiries)
    paged = await build(page_size=4).answer(inquiries)

    assert paged == whole
    assert system.calls[OFFICE] == 1 + 2


WANTED = frozenset({"children_at_district_school"})


async def test_children_are_the_pupils_that_a_person_answers_for(office):
    _, build = office
    subjects = [f"subject{number}" for number in range(12)]
    known = {one: sandbox_school.children(OFFICE, one) for one in subjects}

    told = {one: await build().facts(one, WANTED) for one in subjects}

    assert told == {
        one: {} if many is None else {"children_at_district_school": many}
        for one, many in known.items()
    }
    assert {None, 0, 1, 2, 3} == set(known.values())


async def test_a_quote_in_what_is_asked_stays_within_its_quotes(office, odd):
    _, build = office
    connector, requests = await odd(school.School, {}, {"users": []})

    found = await connector.facts("o'b", WANTED)
    await build().facts("x' OR status='active", WANTED)

    assert found == {}
    assert [request.query["filter"] for request in requests] == [
        "identifier='o''b' AND status='active'"
    ]


@pytest.mark.parametrize(
    "users",
    [
        [{"identifier": "other", "agents": [{"type": "user"}]}],
        [{"identifier": "me", "agents": []}, {"identifier": "me", "agents": []}],
        [{"agents": []}],
        [{"identifier": "me", "agents": [{}]}],
        None,
    ],
)
async def test_users_that_were_not_asked_for_are_a_bad_answer_that_quotes_nobody(odd, users):
    connector, _ = await odd(school.School, {}, {"users": users})

    with pytest.raises(errors.Misconfigured) as raised:
        await connector.facts("me", WANTED)

    assert raised.value.problem is errors.Problem.BAD_ANSWER
    assert "other" not in str(raised.value).replace("other users", "")


async def test_a_token_without_the_scope_is_not_taken(office, asked):
    _, build = office

    with pytest.raises(errors.Misconfigured) as raised:
        await build(scope="https://example.org/other.readonly").answer([asked("place", "primary")])

    assert raised.value.problem is errors.Problem.UNAUTHORIZED


async def test_a_server_that_gives_fewer_rows_than_asked_loses_none(odd, asked):
    clamped = [{"orgs": [org(1), org(2)]}, {"orgs": [org(3), org(4)]}, {"orgs": [org(5)]}]
    connector, requests = await odd(school.School, {}, *clamped, X_Total_Count="5")

    [places] = await connector.answer([asked("place", "primary")])

    assert [one.where for one in places] == [f"School {number}" for number in range(1, 6)]
    assert [request.query["offset"] for request in requests] == ["0", "2", "4"]


async def test_a_server_that_counts_nothing_is_asked_until_a_page_is_empty(odd, asked):
    pages = [{"orgs": [org(1)]}, {"orgs": [org(2)]}, {"orgs": []}]
    connector, requests = await odd(school.School, {}, *pages)

    [places] = await connector.answer([asked("place", "primary")])

    assert len(places) == 2
    assert [request.query["offset"] for request in requests] == ["0", "1", "2"]


async def test_pages_without_end_are_a_bad_answer(odd, asked):
    connector, requests = await odd(school.School, {}, {"orgs": [org(1)]})

    with pytest.raises(errors.Misconfigured, match="pages"):
        await connector.answer([asked("place", "primary")])

    assert len(requests) <= 20


async def test_an_application_that_has_closed_is_left_out_and_the_first_to_close_comes_first(
    odd, asked
):
    ends = {1: "2026-11-21", 2: None, 3: "2027-05-31", 4: "2026-11-22"}
    orgs = [
        org(number, metadata={"places": [{"grade": "primary", "intake": "x", "applyBy": last}]})
        for number, last in ends.items()
    ]
    connector, _ = await odd(school.School, {}, {"orgs": orgs}, X_Total_Count="4")

    [places] = await connector.answer([asked("place", "primary")])

    assert [one.where for one in places] == ["School 4", "School 3", "School 2"]


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"orgs": [{"status": "active", "name": "x"}]}, "sourcedId"),
        ({"orgs": [org(1, status="sleeping")]}, "status"),
        ({"orgs": [org(1, metadata={"places": [{"intake": "2027-09"}]})]}, "grade"),
        (
            {
                "orgs": [
                    org(1, metadata={"places": [{"grade": "p", "intake": "i", "remaining": -1}]})
                ]
            },
            "remaining",
        ),
        (
            {
                "orgs": [
                    org(1, metadata={"places": [{"grade": "p", "intake": "i", "applyBy": "May"}]})
                ]
            },
            "applyBy",
        ),
        ({"schools": []}, "orgs"),
        ([], "."),
    ],
)
async def test_a_school_that_does_not_fit_is_a_bad_answer_that_says_where(odd, asked, wrong, place):
    connector, _ = await odd(school.School, {}, wrong)

    with pytest.raises(errors.Misconfigured) as raised:
        await connector.answer([asked("place", "primary")])

    assert raised.value.problem is errors.Problem.BAD_ANSWER
    assert place in str(raised.value)
    assert "sleeping" not in str(raised.value)


async def test_a_school_without_places_offers_none(odd, asked):
    orgs = [org(1, metadata=None), org(2, metadata={})]
    connector, _ = await odd(school.School, {}, {"orgs": orgs}, X_Total_Count="2")

    assert await connector.answer([asked("place", "primary")]) == [[]]
