"""Cost: exact for the variables, never less than the fields that are run, cheap to ask again."""

import asyncio
import time
from typing import Annotated

import graphql
import pytest
import strawberry
from hypothesis import given, settings
from hypothesis import strategies as st
from strawberry.federation import Schema
from strawberry.federation.schema_directives import Cost, ListSize

from schema import execution
from schema.execution import limits

PAGE = ListSize(
    assumed_size=20,
    slicing_arguments=["first"],
    sized_fields=["edges", "nodes"],
    require_one_slicing_argument=False,
)
SEVEN = ListSize(assumed_size=7, require_one_slicing_argument=False)


@strawberry.type
class Leaf:
    name: str = "leaf"

    @strawberry.field
    def children(self) -> list["Leaf"]:
        return [Leaf() for _ in range(10)]

    @strawberry.field(directives=[SEVEN])
    def seven(self) -> list["Leaf"]:
        return [Leaf() for _ in range(7)]

    @strawberry.field
    def page(self, first: int | None = None) -> "LeafPage":
        return LeafPage(nodes=[Leaf() for _ in range(first or 100)])

    @strawberry.field(directives=[PAGE])
    def usual(self, first: int | None = None) -> "LeafPage":
        return LeafPage(nodes=[Leaf() for _ in range(first or 20)])


@strawberry.type
class LeafPage:
    nodes: list[Leaf]

    @strawberry.field
    def more(self) -> Leaf:
        return Leaf()

    @strawberry.field(directives=[SEVEN])
    def parts(self) -> list["LeafPage"]:
        return [LeafPage(nodes=self.nodes) for _ in range(7)]


Day = Annotated[str | None, strawberry.argument(directives=[Cost(weight=40)])]
Words = Annotated[list[str] | None, strawberry.argument(directives=[Cost(weight=300)])]


@strawberry.type
class Query:
    @strawberry.field
    def leaf(self) -> Leaf:
        return Leaf()

    @strawberry.field(directives=[Cost(weight=50)])
    def dear(self) -> Leaf:
        return Leaf()

    @strawberry.field(directives=[Cost(weight=5)])
    def on(self, day: Day = None, words: Words = None) -> Leaf:  # noqa: ARG002 - they cost alone
        return Leaf()

    @strawberry.field(directives=[Cost(weight=9)])
    def nodes(self, ids: list[strawberry.ID]) -> list[Leaf]:
        return [Leaf() for _ in ids]


SCHEMA = Schema(Query, federation_version="2.9")


def priced(document, name=None):
    return limits.priced(SCHEMA._schema, graphql.parse(document), execution.Limits(), name)


@pytest.mark.parametrize(
    ("variables", "page"),
    [
        ({"n": 3}, 3),
        ({"n": 3.0}, 3),
        ({"n": 0}, 1),
        ({"n": -5}, 1),
        ({"n": 10**30}, 100),
        ({"n": 1e300}, 100),
        ({"n": None}, 20),
        ({}, 20),
        (None, 20),
    ],
)
def test_a_page_counts_as_what_the_variable_asks_for(variables, page):
    one = priced("query ($n: Int) { leaf { usual(first: $n) { nodes { name } } } }")

    assert one.of(variables) == 3 + page


@pytest.mark.parametrize(
    ("variables", "page"), [({}, 5), (None, 5), ({"n": None}, 20), ({"n": 2}, 2)]
)
def test_a_variable_that_is_left_out_has_the_operations_default_and_null_has_not(variables, page):
    one = priced("query ($n: Int = 5) { leaf { usual(first: $n) { nodes { name } } } }")

    assert one.of(variables) == 3 + page


@pytest.mark.parametrize(
    ("document", "variables", "cost"),
    [
        ("{ leaf { usual { nodes { name } } } }", {}, 1 + 1 + 1 + 20),
        ("{ leaf { page { nodes { name } } } }", {}, 1 + 1 + 1 + 100),
        ("{ dear { name } }", {}, 50 + 1),
        ("{ leaf { seven { name seven { name } } } }", {}, 1 + 1 + 7 * (1 + 1 + 7)),
        ("{ leaf { page(first: 3) { parts { nodes { name } } } } }", {}, 3 + 7 * (1 + 3)),
        ("{ leaf { page(first: 3) { more { page { nodes { name } } } } } }", {}, 5 + 100),
        ('{ nodes(ids: ["a", "b"]) { name } }', {}, 2 * (9 + 1)),
        ("query ($a: ID!) { nodes(ids: [$a, $a, $a]) { name } }", {"a": "x"}, 3 * (9 + 1)),
        ("query ($ids: [ID!]!) { nodes(ids: $ids) { name } }", {"ids": ["a"] * 500}, 500 * 10),
        ("query ($ids: [ID!]!) { nodes(ids: $ids) { name } }", {"ids": "alone"}, 10),
        ("query ($ids: [ID!] = [1, 2]) { nodes(ids: $ids) { name } }", {}, 20),
        ("{ leaf { ...F ...F } } fragment F on Leaf { a: name seven { name } }", {}, 1 + 2 * 9),
        (("query ($n: Int) { leaf { ...F x: page(first: $n) { nodes { ...F } } } } "
         "fragment F on Leaf { usual(first: $n) { nodes { name } } }"), {"n": 4},
         1 + (2 + 4) + 1 + 1 + 4 * (2 + 4)),
    ],
)  # fmt: skip
def test_cost_adds_up(document, variables, cost):
    assert priced(document).of(variables) == cost


@pytest.mark.parametrize(
    ("arguments", "variables", "cost"),
    [
        ("", {}, 6),
        ('(day: "today")', {}, 46),
        ("(day: null)", {}, 6),
        ('(day: "today", words: ["a", "b", "c"])', {}, 346 + 3 * 4),
        ("(day: $day)", {}, 6),
        ("(day: $day)", {"day": None}, 6),
        ("(day: $day)", {"day": "today"}, 46),
        ("(day: $day, words: $words)", {"words": ["a"] * 100}, 306 + 100 * 4),
    ],
)
def test_an_argument_costs_where_it_is_given(arguments, variables, cost):
    found = priced(f"query ($day: String, $words: [String!]) {{ on{arguments} {{ name }} }}")

    assert found.of(variables) == cost
    assert found.least <= cost


def test_each_operation_of_a_document_has_a_cost_of_its_own():
    document = """query A($n: Int = 1) { leaf { ...F } } query B($n: Int = 9) { leaf { ...F } }
      fragment F on Leaf { page(first: $n) { nodes { name } } }"""

    assert priced(document, "A").of({}) == 3 + 1
    assert priced(document, "B").of({}) == 3 + 9


def test_many_operations_that_share_fragments_are_judged_in_proportion():
    spread = " ".join(f"query Q{n} {{ leaf {{ ...F0 }} }}" for n in range(200))
    chained = " ".join(f"fragment F{n} on Leaf {{ ...F{n + 1} ...F{n + 1} }}" for n in range(150))
    document = graphql.parse(f"{spread} {chained} fragment F150 on Leaf {{ name }}")

    began = time.perf_counter()
    limits.breaches(SCHEMA._schema, document, execution.Limits())

    assert time.perf_counter() - began < 0.5


def test_asking_again_for_the_same_sizes_takes_no_work():
    one = priced("query ($n: Int) { leaf { page(first: $n) { nodes { name } } } }")
    constant = priced("{ leaf { name } }")

    def seconds(cost, variables):
        best = 1.0
        for _ in range(7):
            began = time.perf_counter()
            for _ in range(1000):
                cost.of(variables)
            best = min(best, (time.perf_counter() - began) / 1000)
        return best

    assert seconds(one, {"n": 7}) < 5e-6  # 1 µs where nothing else runs
    assert seconds(constant, {"n": 7}) < 1e-6


def test_ever_new_sizes_do_not_grow_the_memory():
    listed = priced("query ($ids: [ID!]!) { nodes(ids: $ids) { name } }")
    paged = priced("query ($n: Int) { leaf { page(first: $n) { nodes { name } } } }")

    for size in range(1000):
        listed.of({"ids": ["a"] * size})
        paged.of({"n": size})
        paged.of({"n": "a" * size})

    assert not listed._known
    assert len(paged._known) <= 64
    assert not any(isinstance(value, str) for values in paged._known for value in values)


@pytest.mark.parametrize("wrong", ["7", True, [7], {"n": 7}, 7.0, None])
def test_what_is_no_number_costs_the_same_whether_it_was_asked_before(wrong):
    text = "query ($n: Int) { leaf { page(first: $n) { nodes { name } } } }"
    again = priced(text)
    for number in (1, 7):
        again.of({"n": number})

    assert again.of({"n": wrong}) == again.of({"n": wrong}) == priced(text).of({"n": wrong})


SIZES = st.integers(1, 6)
ARGUMENT = st.one_of(st.just("$n"), st.just("$m"), SIZES.map(str))


def selections(depth):
    if depth == 0:
        return st.just("name")
    inside = selections(depth - 1)
    field = st.one_of(
        st.just("name"),
        st.just("...F"),
        inside.map("... on Leaf {{ {} }}".format),
        inside.map("seven {{ {} }}".format),
        inside.map("children {{ {} }}".format),
        st.tuples(ARGUMENT, inside).map("page(first: {0[0]}) {{ nodes {{ {0[1]} }} }}".format),
        st.tuples(ARGUMENT, inside).map(
            "page(first: {0[0]}) {{ parts {{ nodes {{ {0[1]} }} }} more {{ {0[1]} }} }}".format
        ),
        st.tuples(ARGUMENT, inside).map("usual(first: {0[0]}) {{ nodes {{ {0[1]} }} }}".format),
    )
    return st.lists(field, min_size=1, max_size=3).map(
        lambda parts: " ".join(
            part if part.startswith("...") else f"a{place}: {part}"
            for place, part in enumerate(parts)
        )
    )


def fields(value):
    if isinstance(value, dict):
        return sum(1 + fields(one) for one in value.values())
    return sum(fields(one) for one in value) if isinstance(value, list) else 0


@settings(deadline=None, max_examples=60)
@given(
    root=selections(2),
    fragment=selections(1).filter(lambda text: "...F" not in text),
    n=SIZES,
    m=SIZES,
    ids=st.lists(st.just("x"), min_size=1, max_size=4),
)
def test_cost_is_never_less_than_the_number_of_fields_that_are_run(root, fragment, n, m, ids):
    document = f"""query ($n: Int, $m: Int = 3, $ids: [ID!]!) {{
      dear {{ {root} ...F x: page(first: $n) {{ nodes {{ name }} }} }}
      leaf {{ y: page(first: $m) {{ nodes {{ name }} }} }}
      nodes(ids: $ids) {{ {root} }}
    }} fragment F on Leaf {{ b: seven {{ name }} {fragment} }}"""
    variables = {"n": n, "m": m, "ids": ids}

    answer = asyncio.run(SCHEMA.execute(document, variables))

    # Names given twice meet in one field of the answer, or do not fit together and are refused.
    if not answer.errors:
        assert priced(document).of(variables) >= fields(answer.data)
