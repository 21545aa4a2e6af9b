"""A planned answer is graphql-core's answer: the same data, the same errors, in the same order."""

from __future__ import annotations

import asyncio
import datetime
import enum
import gc
import inspect
import random
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import graphql
import orjson
import pytest
import strawberry
from graphql.execution.collect_fields import FragmentDetails
from graphql.language import ast
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.permission import BasePermission, PermissionExtension
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext as Stock
from strawberry.types.graphql import OperationType

import schema
from models import demo
from schema import execution
from schema.execution import plan, reading
from schema.execution.schema import Asked
from schema.execution.variable import Variables
from tests.hub import NOW

HOME_PAGE = Path(__file__).parents[3] / "docs" / "querying.graphql"


@pytest.fixture(autouse=True)
def swept():
    """Leave no coroutine that was never awaited to be found in another test."""
    yield
    gc.collect()


@strawberry.enum
class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


@strawberry.enum
class Size(enum.StrEnum):
    SMALL = "small"
    LARGE = "large"


@strawberry.input
class Wanted:
    text: str | None = None
    colours: list[Colour] = strawberry.field(default_factory=list)
    inside: Wanted | None = None


@strawberry.interface
class Named:
    seed: strawberry.Private[int]

    @strawberry.field
    def name(self) -> str | None:
        return _act(self.seed, "name", "a name")

    @strawberry.field
    def next(self) -> Thing | None:
        return _act(self.seed, "next", Thing(seed=self.seed * 7 + 1))


class Allowed(BasePermission):
    message = "Not you."

    def has_permission(self, source: Any, info: strawberry.Info, **kwargs: Any) -> bool:  # noqa: ARG002 - strawberry's
        return source.seed % 5 != 0


def _allowed() -> PermissionExtension:
    return PermissionExtension(permissions=[Allowed()], use_directives=False)


class Stranger:
    """An object of no class of the schema."""

    def __init__(self, seed: int) -> None:
        self.seed = seed


@strawberry.type
class Thing(Named):
    kept: str = "kept"

    @strawberry.field
    def text(self) -> str:
        return _act(self.seed, "text", "a text")

    @strawberry.field
    def number(self) -> int | None:
        return _act(self.seed, "number", self.seed % 1000)

    @strawberry.field
    def huge(self) -> int | None:
        return _act(self.seed, "huge", 2**40)

    @strawberry.field
    def ratio(self) -> float | None:
        return _act(self.seed, "ratio", self.seed / 3)

    @strawberry.field
    def true(self) -> bool | None:
        return _act(self.seed, "true", True)  # noqa: FBT003 - the value

    @strawberry.field
    def id(self) -> strawberry.ID:
        return _act(self.seed, "id", strawberry.ID("an id"))

    @strawberry.field
    def day(self) -> datetime.date | None:
        return _act(self.seed, "day", datetime.date(2026, 11, 22))

    @strawberry.field
    def colour(self) -> Colour | None:
        return _act(self.seed, "colour", Colour.GREEN)

    @strawberry.field
    def size(self) -> Size:
        return _act(self.seed, "size", Size.LARGE)

    @strawberry.field
    def sizes(self) -> list[Size | None] | None:
        return _act(self.seed, "sizes", [Size.LARGE, "small", None, "huge", Colour.RED])

    @strawberry.field
    def words(self) -> list[str]:
        return _act(self.seed, "words", ["a", _act(self.seed, "word", "b"), "c"])

    @strawberry.field
    def grid(self) -> list[list[int | None] | None] | None:
        return _act(self.seed, "grid", ((1, 2), [], None, [_act(self.seed, "cell", 3)]))

    @strawberry.field
    def generated(self) -> list[Thing]:
        return _act(self.seed, "generated", (Thing(seed=self.seed + n) for n in range(3)))

    @strawberry.field
    def things(self) -> list[Thing]:
        return _act(self.seed, "things", [_thing(self.seed + n) for n in range(3)])

    @strawberry.field
    def perhaps(self) -> list[Thing | None] | None:
        return _act(self.seed, "perhaps", tuple(_thing(self.seed - n) for n in range(3)))

    @strawberry.field
    def named(self) -> list[Named | None] | None:
        return _act(self.seed, "named", [_named(self.seed + n) for n in range(4)])

    @strawberry.field
    def either(self) -> Either | None:
        return _act(self.seed, "either", _named(self.seed * 3))

    @strawberry.field
    def cast(self) -> Other:
        return _act(self.seed, "cast", strawberry.cast(Other, Stranger(self.seed)))  # noqa: TID251 - of no class that is known

    @strawberry.field
    def judged(self) -> Judged | None:
        return _act(self.seed, "judged", Stranger(self.seed))

    @strawberry.field
    def all_judged(self) -> list[Judged | None]:
        return [Stranger(self.seed), Judged(seed=self.seed), Judged(seed=self.seed + 1), None]

    @strawberry.field
    def plain(self) -> Plain:
        return _act(self.seed, "plain", Plain(word="plain"))

    @strawberry.field
    def echo(
        self,
        text: str = "x",
        number: int | None = None,
        wanted: Wanted | None = None,
        colours: list[Colour] | None = None,
    ) -> str:
        return _act(self.seed, "echo", repr((text, number, wanted, colours)))

    @strawberry.field
    def told(self, info: strawberry.Info, text: str | None = None) -> str:
        said = (info.path.as_list(), info.field_name, info.context.word, info.python_name)
        return repr((*said, info.variable_values, text, info.selected_fields[0].name))

    @strawberry.field
    @staticmethod
    def of_parent(parent: strawberry.Parent[Thing]) -> int:
        return parent.seed % 10

    @strawberry.field(extensions=[_allowed()])
    def guarded(self) -> str | None:
        return _act(self.seed, "guarded", "guarded")

    @strawberry.field(extensions=[_allowed()])
    async def guarded_later(self) -> Thing | None:
        return await _later(self.seed, "guarded_later", _thing(self.seed + 3))

    @strawberry.field
    async def text_later(self) -> str:
        return await _later(self.seed, "text_later", "late")

    @strawberry.field
    async def later(self) -> Thing | None:
        return await _later(self.seed, "later", _thing(self.seed + 5))

    @strawberry.field
    async def things_later(self) -> list[Thing]:
        return await _later(self.seed, "things_later", [_thing(self.seed + n) for n in (1, 2)])

    @strawberry.field
    def items_later(self) -> list[str | None] | None:
        if _act(self.seed, "items_later", "") is None:
            return None
        return [_later(self.seed + n, "item", "item") for n in range(3)]

    @strawberry.field
    def coroutine(self) -> int | None:
        return _later(self.seed, "coroutine", 7)


@strawberry.type
class Other(Named):
    @strawberry.field
    async def more(self) -> list[Named]:
        return await _later(self.seed, "more", [_named(self.seed + n) for n in (4, 5)])


@strawberry.type
class Judged:
    seed: strawberry.Private[int]

    @strawberry.field
    def word(self) -> str:
        return _act(self.seed, "word", "word")

    @classmethod
    def is_type_of(cls, value: object, info: graphql.GraphQLResolveInfo) -> bool:
        return value.seed % 3 != 0 and isinstance(info.path.key, str)


@strawberry.type
class Plain:
    word: str


@strawberry.type
class Troubled:
    """What fails beside something that still runs."""

    @strawberry.field
    def broken(self) -> str:
        raise ValueError("broken")

    @strawberry.field
    async def broken_later(self) -> str:
        await asyncio.sleep(0)
        raise ValueError("broken later")

    @strawberry.field
    async def noted(self, info: strawberry.Info) -> str:
        return await _note(info, 1)

    @strawberry.field
    async def slow(self, info: strawberry.Info) -> str:
        return await _note(info, 9)

    @strawberry.field
    def items(self, info: strawberry.Info) -> list[str]:
        return [_note(info, 1), None, _note(info, 2)]


async def _note(info: strawberry.Info, turns: int) -> str:
    for _ in range(turns):
        await asyncio.sleep(0)
    info.context.noted.append(info.field_name)
    return "noted"


Either = Annotated[Thing | Other, strawberry.union("Either")]


@strawberry.type
class Query:
    @strawberry.field
    def thing(self, seed: int = 1) -> Thing:
        return Thing(seed=seed)

    @strawberry.field
    def perhaps(self, seed: int = 2) -> Thing | None:
        return _act(seed, "root", Thing(seed=seed))

    @strawberry.field
    async def later(self, seed: int = 3) -> Thing | None:
        return await _later(seed, "root", Thing(seed=seed))

    @strawberry.field
    def troubled(self) -> Troubled | None:
        return Troubled()

    @strawberry.field
    def named(self, seed: int = 4) -> Named | None:
        return _named(seed)


@strawberry.type
class Mutation:
    @strawberry.mutation
    def add(self, info: strawberry.Info) -> int:
        info.context.added += 1
        return info.context.added


RICH = strawberry.Schema(Query, mutation=Mutation, types=[Other])
CALM = 10**9  # from here on, things behave


def _act(seed: int, name: str, good: object) -> Any:
    """Do one thing or another, always the same for one seed and name."""
    if seed >= CALM:
        return good
    chance = random.Random(f"{seed} {name}").random()  # noqa: S311 - it is a test
    if chance < 0.07:
        raise ValueError(f"{name} raised")
    if chance < 0.12:
        return LookupError(f"{name} returned an exception")
    if chance < 0.18:
        return None
    return object if chance < 0.21 else good


async def _later(seed: int, name: str, good: object) -> Any:
    for _ in range(random.Random(f"{seed} {name} turns").randrange(4)):  # noqa: S311 - it is a test
        await asyncio.sleep(0)
    return _act(seed, name, good)


def _thing(seed: int) -> Any:
    return _act(seed, "thing", Thing(seed=seed * 11))


def _named(seed: int) -> Any:
    return _act(seed, "named", (Thing, Other)[seed % 2](seed=seed * 13))


class Planned(plan.Executor):
    """Plans for the rich schema."""

    plans = plan.Plans()

    def execute_field(self, *args: Any) -> Any:
        self.context_value.stock.append(str(args[3].as_list()))
        return super().execute_field(*args)


def _context() -> SimpleNamespace:
    return SimpleNamespace(word="word", added=0, noted=[], stock=[])


async def _answer(
    rich: strawberry.Schema,
    document: graphql.DocumentNode,
    executor: type,
    context: object,
    variables: dict[str, object] | None = None,
) -> tuple[object, list[object]]:
    """Return the data, and all that can be told of each error."""
    result = graphql.execute(
        rich._schema,
        document,
        context_value=context,
        variable_values=variables,
        executor_class=executor,
        is_awaitable=optimized_is_awaitable,
    )
    if inspect.isawaitable(result):
        result = await result
    return result.data, _told(result)


def _told(result: graphql.ExecutionResult) -> list[object]:
    """Return all that can be told of each error."""
    return [
        (one.message, one.path, one.locations, repr(one.original_error))
        for one in result.errors or ()
    ]


async def _asked(document: graphql.DocumentNode, variables: dict[str, object]) -> tuple[bytes, Any]:
    """Return the answer as a request gets it: the data as JSON, whatever made it."""
    found = _prepared(document)
    read = found.variables.read(variables)
    if isinstance(read, list):
        return orjson.dumps(None), _told(graphql.ExecutionResult(None, read))
    context = _context()
    result = Planned.performed(RICH._schema, found, variables, context, read=read, as_text=True)
    if inspect.isawaitable(result):
        result = await result
    return orjson.dumps(result.data), _told(result)


def _prepared(document: graphql.DocumentNode) -> reading.Prepared:
    """Return the one operation of a document."""
    definitions = {
        one.name.value: one
        for one in document.definitions
        if isinstance(one, graphql.FragmentDefinitionNode)
    }
    (node,) = (
        one for one in document.definitions if isinstance(one, graphql.OperationDefinitionNode)
    )
    fragments = {name: FragmentDetails(one) for name, one in definitions.items()}
    kind = OperationType(node.operation.value)
    variables = Variables(RICH._schema, node)
    return reading.Prepared(
        node, kind, kind.value, fragments, definitions, None, execution.caching.PRIVATE, variables
    )


#: Fields of the rich schema that wait.
_WAITING = re.compile(r"[lL]ater|more|noted|slow")


async def _both(text: str, **variables: object) -> tuple[object, list[object]]:
    """Return the rich schema's answer, having seen that it is one however and how often asked."""
    document = graphql.parse(text)
    assert graphql.validate(RICH._schema, document) == []
    stock = await _answer(RICH, document, Stock, _context(), variables)
    first = await _answer(RICH, document, Planned, _context(), variables)
    second = await _answer(RICH, document, Planned, _context(), variables)
    assert first == stock
    assert second == stock
    # Parts are compiled when it is asked again, the whole is after that, then it may be given up.
    for _ in range(5):
        data, errors = await _asked(document, variables)
        assert data == orjson.dumps(stock[0])
        if _WAITING.search(text):
            assert _said(stock[0], errors) == _said(stock[0], stock[1])
        else:
            assert errors == stock[1]
    return stock


def _said(data: object, errors: list[object]) -> set[str]:
    """Return what errors say, in no order: whichever comes first fails first.

    What failed below a place that is null may be told or not, as it came before what made it null
    or after (October 2021, section 6.4.4): that something failed there is what counts.
    """
    found = set()
    for error in errors:
        place, value = [], data
        for step in error[1]:
            if value is None:
                break
            place, value = [*place, step], value[step]
        found.add(repr(error) if place == error[1] else f"below {place}")
    return found


class _Writer:
    """Writes documents by chance: fragments, aliases, conditions, arguments, variables."""

    built = RICH._schema
    #: Fields that are not asked for.
    unasked: frozenset[str] = frozenset()
    #: What stands before the selection of an operation.
    head = '$yes: Boolean!, $no: Boolean! = false, $text: String = "v", $wanted: Wanted'
    #: What is asked in any case: every variable is used.
    used = (
        f"used: thing(seed: {CALM}) @skip(if: $yes) {{ echo(text: $text, wanted: $wanted) }} "
        "...@include(if: $no) { __typename } "
    )

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.fragments: list[str] = []
        self.count = 0
        self.left = 30

    def document(self) -> str:
        body = self.selection(self.built.query_type, self.chance.randrange(2, 5))
        asked = f"query ({self.head}) {{ {self.used}...{body} }}"
        return "\n".join([asked, *self.fragments])

    def selection(self, kind: Any, depth: int) -> str:
        many = min(self.chance.randrange(1, 6), self.left)
        self.left -= many
        parts = [self.part(kind, depth) for _ in range(many)]
        return "{ " + " ".join(["__typename", *parts]) + " }"

    def part(self, kind: Any, depth: int) -> str:
        fate = self.chance.random()
        if fate < 0.12:
            return f"...{self.condition()} {self.selection(kind, depth)}"
        if graphql.is_abstract_type(kind) and fate < 0.6:
            one = self.chance.choice(self.built.get_possible_types(kind))
            return f"... on {one.name}{self.condition()} {self.selection(one, depth)}"
        if fate < 0.22:
            self.count += 1
            name = f"F{self.count}"
            self.fragments.append(f"fragment {name} on {kind.name} {self.selection(kind, depth)}")
            return f"...{name}{self.condition()} ...{name}"
        return self.field(kind, depth)

    def field(self, kind: Any, depth: int) -> str:
        fields = getattr(kind, "fields", {})
        names = [
            name
            for name, one in fields.items()
            if name not in self.unasked
            and (depth or graphql.is_leaf_type(graphql.get_named_type(one.type)))
        ]
        if not names:
            return "__typename"
        name = self.chance.choice(names)
        kind_of, args = kind, fields[name].args
        kind = graphql.get_named_type(fields[name].type)
        below = "" if graphql.is_leaf_type(kind) else self.selection(kind, depth - 1)
        alias, arguments = self.called(kind_of, name), ""
        if self.chance.random() < 0.4 or any(map(graphql.is_required_argument, args.values())):
            self.count += 1
            alias, arguments = f"a{self.count}: ", self.arguments(fields[name])
        return f"{alias}{name}{arguments}{self.condition()} {below}"

    def called(self, _kind: Any, _name: str) -> str:
        """Return the alias of a field without arguments."""
        return ""

    def arguments(self, field: Any) -> str:
        values = {
            "seed": [str(self.chance.randrange(10_000)), str(CALM)],
            "text": ["$text", '"literal"'],
            "number": ["null", "12"],
            "wanted": ["$wanted", "{ text: $text, colours: [RED], inside: { text: null } }"],
            "colours": ["[GREEN, RED]", "null", "RED"],
        }
        chosen = [name for name in field.args if self.chance.random() < 0.6]
        written = ", ".join(f"{name}: {self.chance.choice(values[name])}" for name in chosen)
        return f"({written})" if written else ""

    def condition(self) -> str:
        if self.chance.random() < 0.8:
            return ""
        value = self.chance.choice(["$yes", "$no", "true", "false"])
        return f" @{self.chance.choice(['skip', 'include'])}(if: {value})"


# What is cancelled before it began is never awaited, here as in graphql-core.
@pytest.mark.filterwarnings("ignore:coroutine:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32), st.booleans(), st.sampled_from([None, True, False]))
@example(seed=916929, yes=False, no=None)  # three fail below one place, two of them late
def test_whatever_is_asked_and_whatever_fails_the_answers_are_the_same(seed, yes, no):
    text = _Writer(random.Random(seed)).document()  # noqa: S311 - it is a test
    variables = {"yes": yes, "wanted": {"colours": ["GREEN"], "inside": {"text": "in"}}}
    if no is not None:
        variables["no"] = no

    asyncio.run(_both(text, **variables))


def _leaves(kind: graphql.GraphQLObjectType) -> str:
    """Return a selection of every field of a type, and of what is plain in the types below."""
    parts = []
    for name, field in kind.fields.items():
        below = graphql.get_named_type(field.type)
        if graphql.is_leaf_type(below):
            parts.append(name)
        elif graphql.is_abstract_type(below):
            parts.append(name + " { __typename ... on Thing { text kept } ... on Other { name } }")
        else:
            parts.append(name + (" { word }" if "word" in below.fields else " { __typename name }"))
    return " ".join(parts)


@pytest.mark.filterwarnings("ignore:coroutine:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_every_field_answers_alike_whether_it_fails_or_not():
    every = _leaves(RICH._schema.type_map["Thing"])
    failed = set()

    for seed in range(150):
        _, errors = await _both(f"{{ perhaps(seed: {seed}) {{ {every} }} }}")
        failed |= {one[0].split(" ")[0] for one in errors}

    assert len(failed) > 20


async def test_where_nothing_fails_the_whole_object_is_there():
    every = _leaves(RICH._schema.type_map["Thing"]).replace("huge ", "").replace("sizes ", "")
    every = every.replace("allJudged { word } ", "")

    data, errors = await _both(f"{{ perhaps(seed: {CALM + 1}) {{ {every} }} }}")

    assert errors == []
    assert data["perhaps"]["colour"] == "GREEN"
    assert data["perhaps"]["grid"] == [[1, 2], [], None, [3]]
    assert data["perhaps"]["itemsLater"] == ["item"] * 3
    assert [one["__typename"] for one in data["perhaps"]["named"]] == [
        "Other", "Thing", "Other", "Thing",
    ]  # fmt: skip


async def test_a_resolver_is_told_where_it_stands():
    data, errors = await _both(
        "query ($a: String) { x: thing(seed: 1000000000) { things { y: told(text: $a) } } }", a="b"
    )

    assert errors == []
    assert data["x"]["things"][1]["y"].startswith(
        "(['x', 'things', 1, 'y'], 'told', 'word', 'told', {'a': 'b'}, 'b', 'told')"
    )


async def test_a_condition_holds_for_its_own_request_alone():
    text = "query ($b: Boolean! = true) { thing { kept @skip(if: $b) a: kept @include(if: $b) } }"
    document = graphql.parse(text)
    answers = []

    for variables in ({}, {"b": False}, {"b": True}, {"b": False}):
        data, _ = await _answer(RICH, document, Planned, _context(), variables)
        answers.append(list(data["thing"]))

    assert answers == [["a"], ["kept"], ["a"], ["kept"]]


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("query ($s: Int!) { thing(seed: $s) { kept } }", {"s": "no number"}),
        ("query ($s: Int!) { thing(seed: $s) { kept } }", {}),
        ("query ($b: Boolean = true) { thing { kept @skip(if: $b) } }", {"b": None}),
        ("query ($b: Boolean = true) { thing @skip(if: $b) { kept } }", {"b": None}),
        ("query ($s: Int = 3) { thing(seed: $s) { kept } perhaps { kept } }", {"s": None}),
        ("query ($w: Wanted) { thing { echo(wanted: $w) } }", {"w": {"colours": ["BLUE"]}}),
    ],
)
async def test_input_that_does_not_fit_is_the_same_error(text, variables):
    _, errors = await _both(text, **variables)

    assert errors


@pytest.mark.parametrize(
    ("text", "noted"),
    [
        ("{ troubled { noted broken } }", ["noted"]),
        ("{ troubled { noted slow broken } }", ["noted", "slow"]),
        ("{ troubled { slow brokenLater } }", []),
        ("{ troubled { items } }", ["items", "items"]),
    ],
)
async def test_what_a_failure_leaves_behind_is_ended_or_settled_as_ever(text, noted):
    left = []

    for executor in (Stock, Planned, Planned):
        context = _context()
        data, errors = await _answer(RICH, graphql.parse(text), executor, context)
        for _ in range(20):
            await asyncio.sleep(0)
        left.append((data, errors, context.noted))

    assert left[0][0] == {"troubled": None}
    assert left[0][2] == noted
    assert left == [left[0]] * 3


async def test_introspection_answers_alike():
    data, errors = await _both(graphql.get_introspection_query(input_value_deprecation=True))

    assert errors == []
    assert data["__schema"]["queryType"]["name"] == "Query"


async def test_a_mutation_runs_as_ever_and_once_a_field():
    context = _context()

    data, _ = await _answer(RICH, graphql.parse("mutation { add a: add }"), Planned, context)

    assert data == {"add": 1, "a": 2}
    assert context.stock == ["['add']", "['a']"]


async def test_what_is_planned_does_not_pass_through_the_stock_executor():
    context = _context()
    text = f"{{ thing(seed: {CALM}) {{ things {{ later {{ named {{ __typename name }} }} }} }} }}"

    await _answer(RICH, graphql.parse(text), Planned, context)

    assert context.stock == []


async def test_plans_are_bounded_in_number_and_in_fields():
    class Small(plan.Executor):
        plans = plan.Plans(most=5, most_fields=30)

    sizes = []
    for n in range(40):
        names = " ".join(f"a{i}: kept" for i in range(n % 20))
        text = f"query N{n} {{ thing {{ kept {names} }} }}"
        await _answer(RICH, graphql.parse(text), Small, _context())
        sizes.append((len(Small.plans), Small.plans.fields))

    assert max(number for number, _ in sizes) == 5
    # A plan grows while it runs, and is weighed when the next one comes.
    assert max(fields for _, fields in sizes) <= 30 + 21


#: What the hub's fields cannot be asked without.
REQUIRED = {
    "input": '{ service: "physical-check", eligibility: "everyone" }',
    "receipt": '"none"',
    "service": '"physical-check"',
    "code": '"physical-check"',
    "card": '{ serial: "none" }',
    "serial": '"none"',
    "device": '"none"',
    "jws": '"none"',
    "partnerCode": '"xinhua-bank"',
    "serviceCode": '"physical-check"',
    "since": "1",
    "id": '"Service:physical-check"',
    "ids": '["Service:physical-check", "Area:none", "Partner:xinhua-bank"]',
    "representations": '[{ __typename: "Service", id: "Service:physical-check" }]',
}


def _every_field(built: graphql.GraphQLSchema) -> str:
    """Return a document that asks for every field of a schema once."""
    seen = set()

    def selection(kind: Any) -> str:
        kinds = built.get_possible_types(kind) if graphql.is_abstract_type(kind) else [kind]
        inside = " ".join(f"... on {one} {{ __typename {fields(one)} }}" for one in kinds)
        return f"{{ __typename {inside} }}"

    def fields(kind: graphql.GraphQLObjectType) -> str:
        return " ".join(
            field(kind, name, one)
            for name, one in kind.fields.items()
            if (kind.name, name) not in seen
        )

    def field(kind: graphql.GraphQLObjectType, name: str, one: graphql.GraphQLField) -> str:
        seen.add((kind.name, name))
        needed = [key for key, value in one.args.items() if graphql.is_required_argument(value)]
        given = ", ".join(f"{key}: {REQUIRED[key]}" for key in needed)
        below = graphql.get_named_type(one.type)
        inside = "" if graphql.is_leaf_type(below) else selection(below)
        return f"{kind.name}_{name}: {name}{f'({given})' if given else ''} {inside}"

    text = selection(built.query_type)
    roots = (built.mutation_type, built.subscription_type)
    others = set().union(*(_kinds_below(built, root) for root in roots))
    others -= _kinds_below(built, built.query_type)
    kinds = [
        one for one in built.type_map.values() if graphql.is_object_type(one) and one not in others
    ]
    assert {
        f"{kind}.{name}" for kind in kinds if kind.name[:2] != "__" for name in kind.fields
    } <= {f"{kind}.{name}" for kind, name in seen}
    return text


def _kinds_below(built: graphql.GraphQLSchema, root: graphql.GraphQLObjectType) -> set:
    """Return the types that a root leads to, with itself."""
    found, waiting = set(), [root]
    while waiting:
        kind = waiting.pop()
        if kind not in found:
            found.add(kind)
            below = [one.type for one in getattr(kind, "fields", {}).values()]
            waiting += map(graphql.get_named_type, below)
            if graphql.is_abstract_type(kind):
                waiting += built.get_possible_types(kind)
    return found


class AsEver(Stock):
    """Runs what a request asks for as graphql-core does."""

    @classmethod
    def performed(cls, built, prepared, variables, context, root=None, **_text):
        document = ast.DocumentNode(definitions=(prepared.node, *prepared.definitions.values()))
        run = cls.build(
            built, document, root, context, variables,
            is_awaitable=optimized_is_awaitable, hide_suggestions=True,
        )  # fmt: skip
        return run.execute_operation()


class Hubs:
    """The hub's schema, run by plan and as graphql-core does, over one hub."""

    def __init__(self, standing) -> None:
        self.standing = standing
        bounds = execution.Limits(
            fields=10_000, depth=99, tokens=99_999, length=10**6, aliases=9_999, root_fields=99,
            cost=10**9,
        )  # fmt: skip
        self.planned = schema.build_schema(bounds)
        self.stock = schema.build_schema(bounds)
        self.stock._executor = AsEver
        self.by_stock: list[str] = []

        class Watched(self.planned._executor):
            def execute_field(inner, *args):  # noqa: N805 - `self` is the hubs
                self.by_stock.append(str(args[3].as_list()))
                return super().execute_field(*args)

        self.planned._executor = Watched

    async def ask(self, built, text, /, **variables):
        """Return the data and the errors of a question."""
        context = await self.context()
        result = await built.execute(text, variables or None, context_value=context)
        return _shown(result)

    async def request(self, text, /, **variables):
        """Return the same, as a request has it."""
        asked = Asked(text, variables, as_text=True)
        return _shown((await self.planned.run(asked, await self.context())).result)

    async def same(self, text, /, **variables):
        """Return the answer, having seen that it is one however and how often it is asked."""
        await self.ask(self.planned, text, **variables)  # from now on partners are remembered
        stock = await self.ask(self.stock, text, **variables)
        assert await self.ask(self.planned, text, **variables) == stock
        for _ in range(4):
            assert await self.request(text, **variables) == stock
        return stock

    async def context(self):
        bearer = self.standing.bearer(self.standing.role, self.standing.person)
        headers = [(key.encode(), value.encode()) for key, value in bearer.items()]
        scope = {"type": "http", "method": "POST", "path": "/", "headers": headers, "client": None}
        return await self.standing.hub.context(scope)


def _shown(result):
    data = orjson.loads(orjson.dumps(result.data))
    if data is not None:
        # The log of who is asked for facts grows by each ask.
        data.pop("Query_accessLog", None)
    errors = [one.formatted for one in result.errors or ()]
    for one in errors:
        one["extensions"].pop("reference", None)
    # A gate before an asynchronous field refuses at once, in graphql-core when the field's turn
    # comes: so only the order of errors differs, which says nothing.
    return orjson.dumps(data), sorted(errors, key=repr)


@pytest.fixture
def hubs(stand):
    return Hubs(stand(points_per_second=0))


@pytest.mark.any_database
@pytest.mark.parametrize(
    "who",
    [
        pytest.param(who, marks=pytest.mark.viewer(who))
        for who in ("anonymous", "holder", "officer", "admin")
    ],
)
async def test_every_field_of_the_hub_answers_alike_to_everybody(hubs, who):
    text = _every_field(hubs.planned._schema)

    data, errors = await hubs.same(text)

    assert data != b"null", errors


@pytest.mark.any_database
@pytest.mark.viewer("holder")
async def test_no_field_of_the_home_page_passes_through_the_stock_executor(hubs):
    text = HOME_PAGE.read_text(encoding="utf-8")
    await hubs.ask(hubs.planned, text)

    planned = await hubs.ask(hubs.planned, text)

    assert hubs.by_stock == []
    assert planned == await hubs.ask(hubs.stock, text)
    assert planned[1] == []


@pytest.mark.any_database
@pytest.mark.viewer("holder", demo.PILOT)  # nothing that a partner supplies is open of the pilot
async def test_a_field_that_waits_only_when_it_is_asked_so_answers_alike(hubs):
    moment = NOW.isoformat()
    text = f"""{{ menu(first: 100) {{ nodes {{ code
      now: verdict {{ outcome }}
      then: verdict(knownAt: "{moment}") {{ outcome rule {{ revision }} }}
      before: verdict(knownAt: "2020-01-01T00:00:00Z") {{ outcome }} }} }} }}"""

    found, errors = await hubs.same(text)

    nodes = orjson.loads(found)["menu"]["nodes"]
    assert [one["now"]["outcome"] for one in nodes] == [one["then"]["outcome"] for one in nodes]
    assert [one["before"] for one in nodes] == [None] * len(nodes) == [None] * len(errors)


class _HubWriter(_Writer):
    """Writes documents for the hub."""

    # The log of who is asked for facts grows by each ask; and what tells where it runs is no data.
    unasked = frozenset({"accessLog", "_service"})
    head = "$yes: Boolean!, $no: Boolean! = false, $text: String, $number: Int = 2, $code: String!"
    used = (
        "used: service(code: $code) @skip(if: $no) { __typename ... on Service { code } } "
        "...@include(if: $yes) { menu(first: $number, after: $text) { nodes { code } } } "
    )

    def __init__(self, chance: random.Random, built: graphql.GraphQLSchema) -> None:
        super().__init__(chance)
        self.built = built

    def called(self, kind: Any, name: str) -> str:
        return f"{kind.name}_{name}: "

    def arguments(self, field: Any) -> str:
        written = []
        for name, one in field.args.items():
            if graphql.is_required_argument(one) or self.chance.random() < 0.3:
                written.append(f"{name}: {self.value(name, one.type)}")
        return f"({', '.join(written)})" if written else ""

    def value(self, name: str, kind: Any) -> str:
        fate = self.chance.random()
        if not graphql.is_non_null_type(kind) and fate < 0.1:
            return "null"
        inner = graphql.get_nullable_type(kind)
        if graphql.is_list_type(inner):
            return REQUIRED.get(name) or f"[{self.value(name, inner.of_type)}]"
        if graphql.is_enum_type(inner):
            return self.chance.choice(list(inner.values))
        if graphql.is_input_object_type(inner):
            return REQUIRED.get(name) or self.input(inner)
        return self.scalar(name, inner, is_required=graphql.is_non_null_type(kind))

    def input(self, kind: Any) -> str:
        fields = list(kind.fields.items())
        if kind.is_one_of:
            chosen = [self.chance.choice(fields)]
            chosen = [(name, graphql.GraphQLNonNull(one.type)) for name, one in chosen]
        else:
            chosen = [
                (name, one.type)
                for name, one in fields
                if graphql.is_required_input_field(one) or self.chance.random() < 0.4
            ]
        return "{" + ", ".join(f"{name}: {self.value(name, one)}" for name, one in chosen) + "}"

    def scalar(self, name: str, kind: Any, *, is_required: bool) -> str:
        values = {
            "Int": ["1", "3", "100", "$number"],
            "Boolean": ["true", "false", "$yes", "$no"],
            "Float": ["0.5", "1"],
            "Date": ['"2026-11-22"'],
            "DateTime": ['"2026-11-22T10:00:00+08:00"', '"2020-01-01T00:00:00Z"'],
            "String": ['"none"', '"physical-check"', "$code"],
        }.get(kind.name, ['"none"'])
        if name in REQUIRED and kind.name in {"String", "ID"}:
            values = [*values, REQUIRED[name]]
        if not is_required:
            values = [*values, *{"String": ["$text"]}.get(kind.name, [])]
        return self.chance.choice(values)


@pytest.mark.any_database
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(["holder", "anonymous", "officer", "partner", "integrator", "admin"]),
    st.integers(0, 2**32),
    st.fixed_dictionaries(
        {"yes": st.booleans(), "code": st.sampled_from(["physical-check", "none"])},
        optional={
            "no": st.booleans(),
            "text": st.sampled_from([None, "card", ""]),
            "number": st.sampled_from([None, 1, 5, 0, -1]),
        },
    ),
)
async def test_whatever_is_asked_of_the_hub_the_answers_are_the_same(hubs, who, seed, variables):
    built = hubs.planned._schema
    text = _HubWriter(random.Random(seed), built).document()  # noqa: S311 - it is a test
    assert graphql.validate(built, graphql.parse(text)) == []
    hubs.standing.asked_by(who)

    data, _ = await hubs.same(text, **variables)

    assert data
