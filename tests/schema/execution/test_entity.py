"""References of a gateway, over a small schema: each is found, or fails, by itself."""

from __future__ import annotations

import pytest
import strawberry

from models import errors
from schema.execution import entity, problems


@strawberry.federation.type(keys=["id", "code"])
class Book:
    id: str
    code: str

    @classmethod
    async def resolve_reference(cls, info, **key):
        assert info.path.key == "_entities"
        [found] = key.values()
        if found == "burnt":
            raise RuntimeError("ash")
        found = found.removeprefix("Book:")
        return None if found == "lost" else cls(id=f"Book:{found}", code=found)


@strawberry.federation.type(keys=["id"])
class Shelf:
    id: str

    @classmethod
    def resolve_reference(cls, **key):
        return cls(id=key["id"])


@strawberry.federation.type(keys=["title place { town }", "title year"])
class Edition:
    found: strawberry.Private[object]
    title: str
    year: str = strawberry.federation.field(external=True)
    pages: int = strawberry.federation.field(external=True)

    @classmethod
    def resolve_reference(cls, **given):
        del given["info"]
        return cls(found=given, title=given["title"], year="", pages=0)

    @strawberry.federation.field(requires=["pages", "year"])
    def given(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in sorted(self.found.items()))


@strawberry.type
class Query:
    @strawberry.field
    def book(self) -> Book:
        return Book(id="Book:a", code="a")

    @strawberry.field
    def shelf(self) -> Shelf:
        return Shelf(id="Shelf:1")

    @strawberry.field
    def edition(self) -> Edition | None:
        return None


DOCUMENT = """query Found($of: [_Any!]!) { _entities(representations: $of) {
    __typename ... on Book { id code } ... on Shelf { number: id } ... on Edition { given } } }"""
BOOK = {"__typename": "Book", "id": "Book:a", "code": "a"}


@pytest.fixture
def found():
    subgraph = entity.Subgraph(query=Query, federation_version="2.9")

    async def found(*references):
        result = await subgraph.execute(DOCUMENT, {"of": list(references)})
        told = list(problems.settled(result.errors or (), None))
        return (result.data or {}).get("_entities"), [
            (error.path, error.extensions["code"]) for error in told
        ]

    return found


async def test_references_are_answered_in_their_order_and_as_often_as_they_come(found):
    a = {"__typename": "Book", "id": "Book:a"}
    shelf = {"__typename": "Shelf", "id": "Shelf:1"}

    answer, told = await found(a, shelf, a)

    assert answer == [BOOK, {"__typename": "Shelf", "number": "Shelf:1"}, BOOK]
    assert told == []


async def test_any_key_of_a_type_finds_its_thing_and_what_else_is_said_does_not_matter(found):
    by_code = {"__typename": "Book", "code": "a", "id": None, "visits": 3}

    assert await found(by_code) == ([BOOK], [])


@pytest.mark.parametrize(
    "reference",
    [
        {"__typename": "NoSuchType", "id": "Book:a"},
        {"__typename": "Query", "id": "1"},
        {"__typename": "String", "id": "1"},
        {"__typename": ["Book"], "id": "Book:a"},
        {"id": "Book:a"},
        {"__typename": "Book"},
        {"__typename": "Book", "id": 7},
        {"__typename": "Book", "id": {"id": "Book:a"}},
        {"__typename": "Book", "info": "x"},
        "Book",
        [],
        7,
    ],
)
async def test_what_is_no_reference_is_null_with_a_code_and_alone(found, reference):
    answer, told = await found({"__typename": "Book", "code": "a"}, reference, BOOK)

    assert answer == [BOOK, None, BOOK]
    assert told == [(["_entities", 1], errors.BadInputError.code)]


async def test_what_is_not_there_is_null_without_an_error(found):
    lost = {"__typename": "Book", "code": "lost"}

    assert await found(lost, BOOK) == ([None, BOOK], [])


async def test_a_thing_that_fails_fails_alone_and_its_words_stay_here(found):
    answer, told = await found({"__typename": "Book", "code": "burnt"}, BOOK)

    assert answer == [None, BOOK]
    assert told == [(["_entities", 0], "INTERNAL")]


async def test_so_many_references_are_taken_and_no_more(found):
    most, _ = await found(*[BOOK] * entity.MOST)
    more, told = await found(*[BOOK] * (entity.MOST + 1))

    assert most == [BOOK] * entity.MOST
    assert more is None
    assert told == [(["_entities"], errors.BadInputError.code)]


@pytest.mark.parametrize(
    ("reference", "given"),
    [
        ({"title": "Ash", "year": "1907"}, "title Ash, year 1907"),
        (
            {"title": "Ash", "place": {"town": "Wuhu", "street": "Inner"}},
            "place {'town': 'Wuhu', 'street': 'Inner'}, title Ash",
        ),
        ({"title": "Ash", "place": None, "year": "1907"}, "title Ash, year 1907"),
    ],
)
async def test_a_key_of_several_fields_is_taken_whole(found, reference, given):
    answer, told = await found({"__typename": "Edition", **reference})

    assert answer == [{"__typename": "Edition", "given": given}]
    assert told == []


@pytest.mark.parametrize(
    "reference",
    [
        {"title": "Ash"},
        {"title": "Ash", "year": 1907},
        {"title": "Ash", "place": "Wuhu"},
        {"title": "Ash", "place": {}},
        {"title": "Ash", "place": {"town": {"name": "Wuhu"}}},
        {"place": {"town": "Wuhu"}, "year": "1907"},
    ],
)
async def test_half_a_key_is_no_reference(found, reference):
    answer, told = await found({"__typename": "Edition", **reference})

    assert answer == [None]
    assert told == [(["_entities", 0], errors.BadInputError.code)]


async def test_what_a_field_is_worked_out_of_comes_with_the_reference_and_nothing_else(found):
    reference = {"__typename": "Edition", "title": "Ash", "place": {"town": "Wuhu"}}

    answer, _ = await found({**reference, "pages": 7, "visits": 3})

    assert answer[0]["given"] == "pages 7, place {'town': 'Wuhu'}, title Ash"


async def test_the_contract_is_printed_once():
    subgraph = entity.Subgraph(query=Query, federation_version="2.9")

    [first, second] = [(await subgraph.execute("{ _service { sdl } }")).data for _ in range(2)]

    assert first["_service"]["sdl"] == subgraph.as_str()
    assert second["_service"]["sdl"] is first["_service"]["sdl"]
