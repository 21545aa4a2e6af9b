"""Nothing that was released goes, or changes, before its deprecation has run its course."""

from __future__ import annotations

from datetime import date

import pytest

import schema
from schema import evolution

TODAY = date(2027, 2, 1)
OLD = """
enum Colour { RED GREEN @deprecated(reason: "Use `RED`, until 2027-01-31.") BLUE }
input Filter { colour: Colour size: Int @deprecated(reason: "Nobody asks, until 2027-01-31.") }
type Gone { name: String }
union Any = Item | Other
type Other { id: ID }
type Item {
  name: String!
  soon: String @deprecated(reason: "Use `name`, until 2027-02-01.")
  over: String @deprecated(reason: "Use `name`, until 2027-01-31.")
  ever: String @deprecated(reason: "Use `name`.")
  gone: Gone @deprecated(reason: "Use `name`, until 2027-01-31.")
}
type Query {
  item(code: String, by: ID @deprecated(reason: "Use `code`, until 2027-01-31.")): Item
  items(filter: Filter): [Item!]!
  any: Any
}
"""


def found(*changes: tuple[str, str]) -> list[str]:
    new = OLD
    for old, now in changes:
        assert old in new
        new = new.replace(old, now)
    return [str(one) for one in evolution.breaks(OLD, new, TODAY)]


def test_the_same_contract_breaks_nothing():
    assert found() == []


@pytest.mark.parametrize(
    "change",
    [
        ("  name: String!", "  name: String!\n  more: String"),
        ("RED GREEN", "RED WHITE GREEN"),
        ("code: String,", "code: String, more: Int,"),
    ],
)
def test_what_is_added_breaks_nothing(change):
    assert found(change) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("  name: String!\n", ""), "Field Item.name was removed. Deprecate it first"),
        (("  name: String!", "  name: String"), "Field Item.name changed type from String! to"),
        ((" BLUE }", " }"), "Enum value Colour.BLUE was removed. Deprecate it first"),
        (("code: String, ", ""), "Argument Query.item(code:) was removed. Deprecate it first"),
        (("code: String,", "code: String!,"), "Query.item(code:) has changed type"),
        (("code: String,", "code: String, must: Int!,"), "Query.item(must:) was added. Depre"),
        (("colour: Colour ", ""), "Field Filter.colour was removed. Deprecate it first"),
        (("colour: Colour ", "colour: Colour must: Int! "), "Filter.must was added. Deprec"),
        (("Item | Other", "Item"), "Other was removed from union type Any. All that is of"),
    ],
)
def test_what_breaks_is_told_with_what_to_do(change, sentence):
    (one,) = found(change)

    assert sentence in one


def test_what_is_deprecated_may_go_after_its_day_and_not_on_it():
    over = '  over: String @deprecated(reason: "Use `name`, until 2027-01-31.")\n'
    soon = '  soon: String @deprecated(reason: "Use `name`, until 2027-02-01.")\n'

    assert found((over, "")) == []
    assert found((soon, "")) == ["Field Item.soon was removed. It may go after 2027-02-01."]


def test_what_is_deprecated_without_a_day_stays():
    ever = '  ever: String @deprecated(reason: "Use `name`.")\n'

    assert found((ever, "")) == [
        "Field Item.ever was removed. Its deprecation names no day: `until 2027-01-31`."
    ]


@pytest.mark.parametrize(
    "gone",
    [
        ' GREEN @deprecated(reason: "Use `RED`, until 2027-01-31.")',
        ' size: Int @deprecated(reason: "Nobody asks, until 2027-01-31.")',
        ', by: ID @deprecated(reason: "Use `code`, until 2027-01-31.")',
    ],
)
def test_values_arguments_and_input_fields_have_their_course_too(gone):
    assert found((gone, "")) == []


def test_a_type_may_go_with_the_last_field_of_it():
    field = '  gone: Gone @deprecated(reason: "Use `name`, until 2027-01-31.")\n'
    kind = "type Gone { name: String }\n"

    assert found((field, ""), (kind, "")) == []
    assert evolution.breaks(OLD, OLD.replace(field, "").replace(kind, ""), date(2027, 1, 31))


def test_this_contract_breaks_nothing_of_the_last_released():
    today = date.today()  # noqa: DTZ011 - a deprecation ends with somebody's day, and any will do

    released = evolution.RELEASED.read_text(encoding="utf-8")

    assert [str(one) for one in evolution.breaks(released, schema.sdl(), today)] == []
