"""The sandbox's school offices speak OneRoster 1.2 behind OAuth 2.0."""

from __future__ import annotations

import aiohttp
import pytest

from sandbox import school, secret

OFFICE = "changning-school-office"
SECRET = secret.VALUES[f"{OFFICE}-secret"]
FORM = {"grant_type": "client_credentials", "scope": school.SCOPE}


@pytest.fixture
async def office(running):
    system = await running("school")
    return f"{system.url}/{OFFICE}"


@pytest.fixture
async def schools(office, client):
    async with client.post(
        f"{office}/oauth2/token",
        data=FORM | {"client_id": "greenway", "client_secret": SECRET},
    ) as reply:
        token = (await reply.json())["access_token"]

    async def ask(bearer=token, what="schools", **query):
        url = f"{office}/ims/oneroster/rostering/v1p2/{what}"
        async with client.get(
            url, params=query, headers={"Authorization": f"Bearer {bearer}"}
        ) as reply:
            return reply.status, reply.headers, await reply.json()

    return ask


async def test_a_token_is_given_by_form_and_by_basic_header(office, client):
    basic = {"Authorization": aiohttp.encode_basic_auth("greenway", SECRET)}

    async with client.post(f"{office}/oauth2/token", data=FORM, headers=basic) as reply:
        token = await reply.json()

    assert (token["token_type"], token["scope"]) == ("Bearer", school.SCOPE)
    assert token["expires_in"] == school.TOKEN_SECONDS


@pytest.mark.parametrize(
    ("form", "status"),
    [
        (FORM | {"client_id": "greenway", "client_secret": "wrong"}, 401),
        (FORM | {"client_id": "stranger", "client_secret": SECRET}, 401),
        (FORM, 401),
        ({"grant_type": "password"}, 400),
    ],
)
async def test_other_clients_and_grants_get_no_token(office, client, form, status):
    async with client.post(f"{office}/oauth2/token", data=form) as reply:
        assert reply.status == status
        assert "access_token" not in await reply.json()


async def test_pages_advance_by_offset_and_count_all(schools):
    _, headers, whole = await schools(filter="status='active'")

    pages = [await schools(filter="status='active'", limit=4, offset=start) for start in (0, 4)]

    assert headers["X-Total-Count"] == str(len(whole["orgs"])) == "6"
    assert [len(page["orgs"]) for _, _, page in pages] == [4, 2]
    assert [row for _, _, page in pages for row in page["orgs"]] == whole["orgs"]
    assert 'rel="next"' in pages[0][1]["Link"]
    assert "Link" not in pages[1][1]


async def test_without_the_filter_closed_schools_are_listed_too(schools):
    _, _, whole = await schools()

    assert {row["status"] for row in whole["orgs"]} == {"active", "tobedeleted"}


async def test_places_carry_their_grade_and_never_exceed_the_capacity(schools):
    _, _, whole = await schools(filter="status='active'")

    places = [one for row in whole["orgs"] for one in row["metadata"]["places"]]
    assert {one["grade"] for one in places} == {
        "primary",
        "middle",
        "kindergarten",
        "tutoring",
        "chinese-language",
    }
    assert all(0 <= one["remaining"] <= one["capacity"] for one in places)
    assert {one["applyBy"] for one in places} == {"2027-05-31"}


@pytest.mark.parametrize("query", [{"filter": "name~'x'"}, {"sort": "age"}, {"limit": "none"}])
async def test_bad_parameters_are_refused_in_the_standards_words(schools, query):
    status, _, body = await schools(**query)

    assert (status, body["imsx_codeMajor"]) == (400, "failure")


async def test_a_user_is_found_by_identifier_and_always_the_same(schools):
    asked = {
        name: await schools(what="users", filter=f"identifier='{name}' AND status='active'")
        for name in ("a", "b", "c", "d", "it''s")
    }

    found = {name: body["users"] for name, (_, _, body) in asked.items()}
    agents = {name: [len(user["agents"]) for user in users] for name, users in found.items()}
    told = {name: school.children(OFFICE, name.replace("''", "'")) for name in asked}
    assert agents == {name: [] if many is None else [many] for name, many in told.items()}
    assert {one["identifier"] for users in found.values() for one in users} <= {
        name.replace("''", "'") for name in asked
    }


@pytest.mark.parametrize("filter_", ["", "status='active'", "identifier='o'o' AND status='active'"])
async def test_users_are_not_listed_without_an_identifier(schools, filter_):
    status, _, body = await schools(what="users", filter=filter_)

    assert (status, body["imsx_codeMajor"]) == (400, "failure")


async def test_without_a_token_or_its_scope_nothing_is_shown(office, schools, client):
    other = FORM | {"client_id": "greenway", "client_secret": SECRET, "scope": "other"}
    async with client.post(f"{office}/oauth2/token", data=other) as reply:
        unfit = (await reply.json())["access_token"]

    answers = [await schools(bearer="unknown"), await schools(bearer=unfit)]

    assert [status for status, _, _ in answers] == [401, 403]
    assert all(body["imsx_codeMajor"] == "failure" for _, _, body in answers)
