"""Every error has a code; what nobody expected is told to the log and to nobody else."""

import logging
from typing import NewType

import graphql
import pytest
import strawberry
from strawberry.schema.config import StrawberryConfig

from models import errors
from schema import execution
from schema.execution import problems
from schema.execution.code import Code
from tests import asgi


async def test_an_unexpected_failure_is_masked_and_logged_once_under_its_reference(app, caplog):
    answer = await asgi.ask(app, "{ broken }")

    [error] = answer.json()["errors"]
    reference = error["extensions"]["reference"]
    assert error["message"] == "Internal error"
    assert error["path"] == ["broken"]
    assert error["extensions"] == {"code": "INTERNAL", "reference": reference}
    assert b"index" not in answer.body
    [record] = caplog.records
    assert (record.name, record.levelno) == ("greenway", logging.ERROR)
    assert reference in record.getMessage()
    assert isinstance(record.exc_info[1], IndexError)


async def test_one_failure_at_many_paths_is_one_line_in_the_log(app, caplog):
    answer = await asgi.ask(app, "{ items { broken } }")

    found = answer.json()["errors"]
    assert [error["path"] for error in found] == [["items", n, "broken"] for n in range(5)]
    assert len({error["extensions"]["reference"] for error in found}) == 1
    assert len(caplog.records) == 1
    assert b"postgresql" not in answer.body


async def test_a_result_that_does_not_fit_its_type_is_ours_to_mend_and_not_shown(app, caplog):
    answer = await asgi.ask(app, "{ misfit }")

    assert answer.codes == ["INTERNAL"]
    assert b"SELECT" not in answer.body
    assert len(caplog.records) == 1


async def test_an_error_raised_on_purpose_tells_its_sentence_code_and_hint(app, caplog):
    answer = await asgi.ask(app, '{ item(code: "bycycle") { name } }')

    [error] = answer.json()["errors"]
    assert error["message"] == "There is no item “bycycle”."
    assert error["extensions"] == {
        "code": "UNKNOWN_CODE",
        "hint": "Did you mean “bicycle”?",
        "nearest": ["bicycle"],
    }
    assert caplog.records == []


class Untold(graphql.GraphQLError):
    """An error of which nobody writes out where in the document it stands."""

    def __str__(self) -> str:
        raise AssertionError("It was written out.")


def test_where_an_error_stands_is_found_out_once():
    [operation] = graphql.parse("{ one }").definitions
    error = Untold("No.", operation, path=["one"])

    found = problems.coded(error, Code.GRAPHQL_VALIDATION_FAILED)

    assert found.locations is error.locations
    assert found.formatted == {**error.formatted, "extensions": {"code": found.extensions["code"]}}
    assert (found.nodes, found.positions, found.source) == ([operation], [0], error.source)


async def test_a_problem_the_resolvers_collected_stands_beside_the_data(app):
    answer = await asgi.ask(app, "{ partner broken }")

    assert answer.status == 294
    assert answer.json()["data"] == {"partner": "cached", "broken": None}
    assert answer.codes == ["INTERNAL", "PARTNER_TIMEOUT"]
    assert answer.json()["errors"][1] == {
        "message": "First Bank did not answer in time.",
        "path": ["partner"],
        "extensions": {"code": "PARTNER_TIMEOUT", "partner": "first-bank"},
    }


@pytest.mark.parametrize(
    ("document", "variables", "code"),
    [
        ("{ helo }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ hello(named: 1) }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ hello @skp }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ hello(wanted: {color: RED}) }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ hello(wanted: {colour: REDD}) }", None, "GRAPHQL_VALIDATION_FAILED"),
        ('{ hello(wanted: {colour: "RED"}) }', None, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($f: Filtr) { hello(wanted: $f) }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($filter: Filter) { hello(wanted: $filtr) }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ ... on Itm { name } }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ ...Filtre } fragment Filter on Query { hello }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($f: Filter) { hello(wanted: $f) }", {"f": {"color": "RED"}}, "BAD_USER_INPUT"),
        ("query ($f: Filter) { hello(wanted: $f) }", {"f": {"colour": "REDD"}}, "BAD_USER_INPUT"),
        ("query ($c: Colour) { hello(wanted: {colour: $c}) }", {"c": "REDD"}, "BAD_USER_INPUT"),
        ("query Hello { hello } query B { hello }", None, "OPERATION_RESOLUTION_FAILURE"),
    ],
)
async def test_no_misspelling_is_answered_with_a_name_of_the_schema(app, document, variables, code):
    answer = await asgi.ask(app, document, variables)

    assert set(answer.codes) == {code}
    assert b"Did you mean" not in answer.body
    assert b"GREEN" not in answer.body


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ('{ weekday(day: "soon") }', None),
        ("query ($day: Date!) { weekday(day: $day) }", {"day": "soon"}),
        ("query ($day: Date!) { weekday(day: $day) }", {"day": 7}),
        ("query ($day: Date!) { weekday(day: $day) }", {}),
        ("query ($name: String) { hello(name: $name) }", {"name": ["a"]}),
        ("query ($name: String!) { hello(name: $name) }", {"name": None}),
    ],
)
async def test_a_value_that_does_not_fit_is_the_askers_to_mend(app, caplog, document, variables):
    answer = await asgi.ask(app, document, variables)

    validates = answer.codes == ["BAD_USER_INPUT"]
    assert answer.status == (400 if validates else 422)
    assert set(answer.codes) <= {"BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"}
    assert "data" not in answer.json()
    assert caplog.records == []


@pytest.mark.parametrize(
    ("declared", "value", "end"),
    [
        ("String!", None, "not to be null."),
        ("String", True, "value: true"),
        ("String", False, "value: false"),
        ("Filter", True, "found: true."),
        ("Int", "so: True", "value: 'so: True'"),
        ("Int", "so None.", "value: 'so None.'"),
    ],
)
async def test_null_and_booleans_are_spelt_as_graphql_has_them(app, declared, value, end):
    argument = {"Filter": "wanted", "Int": "first"}.get(declared, "name")
    field = (
        "page(first: $v) { edges { cursor } }" if argument == "first" else f"hello({argument}: $v)"
    )

    answer = await asgi.ask(app, f"query ($v: {declared}) {{ {field} }}", {"v": value})

    [error] = answer.json()["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert error["message"].endswith(end)


async def test_a_null_where_an_argument_may_not_be_null_is_the_askers_to_mend(app, caplog):
    answer = await asgi.ask(app, "query ($n: String) { hello(name: $n) }", {"n": None})

    assert (answer.status, answer.codes) == (294, ["BAD_USER_INPUT"])
    assert answer.json()["data"] is None
    assert caplog.records == []


async def test_the_first_of_two_operations_is_not_run_unasked(app, context):
    answer = await asgi.ask(app, "mutation A { count } mutation B { count }")
    named = await asgi.ask(app, "mutation A { count } query B { hello }", operationName="B")
    unknown = await asgi.ask(app, "mutation A { count }", operationName="C")

    assert answer.codes == unknown.codes == ["OPERATION_RESOLUTION_FAILURE"]
    assert named.json()["data"] == {"hello": "Hello, world."}
    assert context.counted == 0


@pytest.mark.parametrize(
    ("document", "code", "sentence"),
    [
        (
            "{ hello } { hello }",
            "GRAPHQL_VALIDATION_FAILED",
            "anonymous operation must be the only",
        ),
        ("query A { hello } { hello }", "GRAPHQL_VALIDATION_FAILED", "must be the only"),
        ("fragment F on Query { hello }", "OPERATION_RESOLUTION_FAILURE", "has no operation"),
        ("type Query { hello: String }", "OPERATION_RESOLUTION_FAILURE", "has no operation"),
        ("{ hello } " * 21, "QUERY_TOO_MANY_OPERATIONS", "21 operations"),
    ],
)
async def test_whoever_can_name_no_operation_is_not_told_to(app, document, code, sentence):
    first = await asgi.ask(app, document)
    second = await asgi.ask(app, document)

    assert first.codes == [code]
    assert sentence in first.json()["errors"][0]["message"]
    assert first.body == second.body


async def asked_for_an_even_number(document, variables, failure):
    Even = NewType("Even", int)

    def even(value):
        raise failure

    @strawberry.type
    class Query:
        @strawberry.field
        def twice(self, number: Even) -> int:
            return 2 * number

    scalars = {Even: strawberry.scalar(name="Even", parse_value=even)}
    schema = execution.Schema(Query, config=StrawberryConfig(scalar_map=scalars))
    [error] = (await schema.execute(document, variables)).errors
    return error


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ("{ twice(number: 7) }", None),
        ("query ($number: Even!) { twice(number: $number) }", {"number": 7}),
    ],
)
async def test_a_scalar_tells_what_it_says_on_purpose_and_nothing_else(document, variables):
    refused = await asked_for_an_even_number(
        document, variables, errors.BadInputError("This number is odd.", "Ask with an even one.")
    )
    burst = await asked_for_an_even_number(document, variables, ValueError("Incorrect padding"))

    assert refused.message == "This number is odd."
    assert refused.extensions == {"code": "BAD_INPUT", "hint": "Ask with an even one."}
    assert burst.extensions["code"] in {"BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"}
    assert "padding" not in burst.message


def test_whoever_spent_too_much_is_told_what_it_costs_and_when_to_come_back():
    refused = errors.RateLimitedError(2.1, 300, 12)

    assert refused.wait == 3
    assert refused.sentence == "This costs 300 points; you have 12 left."
    assert refused.hint == "Ask again in 3 s, or for less."


async def test_a_document_read_before_answers_with_the_same_errors(app):
    first = await asgi.ask(app, "{ nothing }")
    second = await asgi.ask(app, "{ nothing }")

    assert first.body == second.body
