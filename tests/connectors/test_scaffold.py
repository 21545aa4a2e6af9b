"""A partner file is begun from a `curl` line or an OpenAPI file; what is written holds."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest
import yarl

from connectors import manifest, proof, registry, scaffold
from models import errors, offer, source

KINDS = registry.kinds()
SECRET = "S3cret/S3cret+S3cret"  # noqa: S105 - nobody's
TOUR = {
    "id": 7,
    "title": {"en": "Bronze", "zh": "青铜"},
    "startsAt": "2026-11-25T10:00:00+08:00",
    "room": {"name": "Hall 2"},
    "seatsLeft": 4,
}
BASIC = b64encode(f"hub:{SECRET}".encode()).decode()


async def begun(line, answer, slug="river-museum"):
    """Begin a file offline; return its text, and its entry."""
    canned = json.dumps(answer).encode()
    one = scaffold.from_curl(line, slug)
    text = await scaffold.file(
        slug,
        scaffold.Begun(one.request, one.credentials, one.secrets, canned),
        None,
        KINDS,
    )
    return text, manifest.read(source.parse(text, "new.yaml"), slug, KINDS)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (f"-H 'X-Api-Key: {SECRET}' https://museum.example/tours", "header"),
        (f"-H 'Authorization: Bearer {SECRET}' https://museum.example/tours", "header"),
        (f"-H 'Authorization: Basic {BASIC}' https://museum.example/tours", "basic"),
        (f"-u 'hub:{SECRET}' https://museum.example/tours", "basic"),
        ("'https://museum.example/tours?api_key=S3cret%2FS3cret%2BS3cret'", "query"),
    ],
)
async def test_a_secret_of_the_line_becomes_a_name(words, shown):
    text, entry = await begun(f"curl -s {words}", {"tours": [TOUR]})

    assert entry.manifest.credentials.given[0] == shown
    assert SECRET not in text
    assert BASIC not in text
    assert yarl.URL.build(query={"a": SECRET}).raw_query_string[2:] not in text
    assert await proof.prove(entry) == [[]]


@pytest.mark.parametrize("called", ["tour_no", "tourId", "session_number"])
async def test_what_a_row_is_named_by_may_be_named_after_it(called):
    row = {called: 7} | {name: value for name, value in TOUR.items() if name != "id"}

    _, entry = await begun("curl https://museum.example/tours", {"tours": [row]})

    assert await proof.prove(entry) == [[]]
    assert entry.manifest.examples[0].offers[0][0]["id"] == "7"


@pytest.mark.parametrize(
    ("answer", "foreach"),
    [
        ([TOUR], "@"),
        ({"data": {"tours": [TOUR]}, "tags": [{"id": 1}]}, "data.tours"),
        ({"@graph": [TOUR]}, '"@graph"'),
    ],
)
async def test_rows_are_found_wherever_they_are(answer, foreach):
    _, entry = await begun("curl https://museum.example/v1/tours", answer)

    assert entry.document.data["options"]["offers"]["showing"]["records"] == [{"foreach": foreach}]
    assert await proof.prove(entry) == [[]]


@pytest.mark.parametrize(
    ("query", "more", "pages"),
    [
        ("page=1", {}, {"number": {"parameter": "page"}}),
        ("page=1", {"totalPages": 1}, {"number": {"parameter": "page", "last": "totalPages"}}),
        ("offset=0&limit=10", {}, {"offset": {"parameter": "offset"}}),
        ("limit=10", {"next": ""}, {"link": {"url": "next"}}),
    ],
)
async def test_pages_are_told_by_their_names(query, more, pages):
    line = f"curl 'https://museum.example/tours?{query}'"

    _, entry = await begun(line, {"tours": [TOUR], **more})

    assert entry.document.data["options"]["offers"]["showing"]["pages"] == pages
    assert await proof.prove(entry) == [[]]


async def test_times_of_the_line_become_those_asked_for():
    line = "curl 'https://museum.example/tours?from=2026-11-24&to=2026-11-26&language=en'"

    _, entry = await begun(line, {"tours": [TOUR]})

    call = entry.document.data["options"]["offers"]["showing"]["call"]
    assert call["query"] == {"from": "{since|date}", "to": "{until|date}", "language": "en"}


@pytest.mark.parametrize(
    ("row", "capability"),
    [
        (TOUR, "showing"),
        (TOUR | {"endsAt": "2026-11-25T11:00:00+08:00"}, "appointment"),
        ({"id": 1, "name": "A", "branch": "West", "term": "2027"}, "place"),
        ({"id": 1, "name": "A", "premium": 9.5, "currency": "CNY"}, "quote"),
        ({"id": 1, "name": "A", "address": "West Road"}, "pass"),
    ],
)
async def test_the_shape_is_the_one_whose_fields_are_there(row, capability):
    _, entry = await begun("curl https://partner.example/all", [row])

    assert list(entry.document.data["options"]["offers"]) == [capability]
    assert await proof.prove(entry) == [[]]


@pytest.mark.parametrize(
    ("line", "answer", "sentence"),
    [
        ("curl 'https://museum.example", [TOUR], "cannot be read"),
        ("curl tours", [TOUR], "no URL"),
        ("curl https://museum.example/tours", {"tours": []}, "no list of objects"),
        ("curl https://museum.example/tours", [{"colour": "red"}], "colour"),
    ],
)
async def test_what_cannot_be_begun_is_refused(line, answer, sentence):
    with pytest.raises(errors.HubError, match=sentence):
        await begun(line, answer)


async def test_a_shape_that_cannot_be_filled_names_the_fields_that_lack():
    one = scaffold.from_curl("curl https://museum.example/tours", "river-museum")
    canned = json.dumps([{"tour": "T-1", "title": "Bronze", "hall": "Hall 2"}]).encode()
    asked = scaffold.Begun(one.request, answer=canned)

    with pytest.raises(errors.HubError, match="fields for showing: id, start\\. They have: tour"):
        await scaffold.file("river-museum", asked, None, KINDS, offer.Capability.SHOWING)


async def test_plain_starts_and_ends_are_times_and_the_last_page_may_stand_under_meta():
    row = {"id": 1, "title": "Bronze", "hall": "Hall 2", "starts": "2026-11-25 10:00:00"}

    _, entry = await begun(
        "curl 'https://museum.example/tours?page=1'", {"meta": {"last_page": 1}, "tours": [row]}
    )

    showing = entry.document.data["options"]["offers"]["showing"]
    assert showing["fields"]["start"] == "starts"
    assert showing["pages"] == {"number": {"parameter": "page", "last": "meta.last_page"}}
    assert await proof.prove(entry) == [[]]


OPENAPI = {
    "openapi": "3.0.3",
    "servers": [{"url": "https://museum.example/api"}],
    "paths": {
        "/about": {"get": {"responses": {"200": {"description": "A page."}}}},
        "/tours": {
            "get": {
                "operationId": "listTours",
                "parameters": [
                    {"$ref": "#/components/parameters/from"},
                    {"name": "page", "in": "query", "schema": {"type": "integer"}},
                    {"name": "colour", "in": "query", "schema": {"type": "string"}},
                ],
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Tours"}}
                        }
                    }
                },
            }
        },
    },
    "components": {
        "parameters": {
            "from": {"name": "from", "in": "query", "required": True, "schema": {"type": "string"}}
        },
        "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"}},
        "schemas": {
            "Tours": {
                "type": "object",
                "properties": {
                    "items": {"type": "array", "items": {"$ref": "#/components/schemas/Tour"}}
                },
            },
            "Tour": {
                "allOf": [
                    {"type": "object", "properties": {"id": {"type": "integer"}}},
                    {
                        "type": "object",
                        "properties": {
                            "name": {"type": "string", "example": "Bronze"},
                            "start": {"type": "string", "format": "date-time"},
                            "venue": {"type": "string", "enum": ["Hall 1", "Hall 2"]},
                        },
                    },
                ]
            },
        },
    },
}


async def test_a_file_is_begun_from_openapi_by_its_schemas(tmp_path):
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(OPENAPI), encoding="utf-8")

    one = scaffold.from_openapi(path, "", "open-museum")
    text = await scaffold.file("open-museum", one, None, KINDS)

    entry = manifest.read(source.parse(text, "new.yaml"), "open-museum", KINDS)
    offering = entry.document.data["options"]["offers"]["showing"]
    assert entry.manifest.address == "https://museum.example/api/"
    assert entry.document.data["credentials"]["header"]["name"] == "X-Api-Key"
    assert offering["call"] == {"path": "tours", "query": {"from": "{since|date}"}}
    assert offering["pages"] == {"number": {"parameter": "page"}}
    assert entry.manifest.examples[0].offers[0][0]["title"] == "Bronze"
    assert await proof.prove(entry) == [[]]


def test_an_operation_that_is_not_there_is_refused(tmp_path):
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(OPENAPI), encoding="utf-8")

    with pytest.raises(errors.HubError, match="listFilms"):
        scaffold.from_openapi(path, "listFilms", "open-museum")
