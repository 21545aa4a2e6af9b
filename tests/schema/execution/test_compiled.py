"""What a compiled selection does with a value that nobody expected: what graphql-core does."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import decimal
import enum
import gc
import inspect
import re
from collections import UserString
from collections.abc import Callable
from types import SimpleNamespace
from typing import Annotated, Any, NewType

import graphql
import orjson
import pytest
import strawberry
from graphql.pyutils import Undefined
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext as Stock
from strawberry.types.graphql import OperationType

from schema.execution import caching, compiled, plan, reading
from schema.execution.told import Texts
from schema.execution.variable import Variables

# What is cancelled before it began is never awaited, here as in graphql-core.
pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
Picky = NewType("Picky", str)


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


class Strange(enum.Enum):
    RED = "red"


@strawberry.input
class Wanted:
    words: list[Picky]
    colour: Colour | None = Colour.GREEN


@strawberry.type
class Part:
    word: str
    number: int | None = 7
    inner: Part | None = None


@strawberry.interface
class Named:
    name: str


@strawberry.type
class First(Named):
    parts: list[Part] = strawberry.field(default_factory=list)


@strawberry.type
class Second(Named):
    size: Size = Size.LARGE


Either = Annotated[First | Second, strawberry.union("Either")]


def _part(word: Any, number: Any = 7, inner: Part | None = None) -> Part:
    return Part(word=word, number=number, inner=inner)


def _first(name: str, parts: Any = ()) -> First:
    return First(name=name, parts=list(parts) if parts == () else parts)


def _second(name: str, size: Any = Size.LARGE) -> Second:
    return Second(name=name, size=size)


#: What each field returns, made anew whenever it is asked.
script: dict[str, Callable[[], Any]] = {}


def _say(name: str) -> Any:
    asked.append(name)
    return script.get(name, USUAL[name])()


#: The fields that were asked, since it was last cleared.
asked: list[str] = []
USUAL: dict[str, Callable[[], Any]] = {
    "text": lambda: "a text",
    "textNull": lambda: "another",
    "whole": lambda: 12,
    "ratio": lambda: 1.5,
    "yes": lambda: True,
    "id": lambda: strawberry.ID("an id"),
    "day": lambda: datetime.date(2026, 11, 22),
    "price": lambda: decimal.Decimal("1.50"),
    "json": lambda: {"a": [1, None, "b"]},
    "colour": lambda: Colour.GREEN,
    "size": lambda: Size.LARGE,
    "words": lambda: ["a", "b"],
    "grid": lambda: ((1, 2), None, []),
    "part": lambda: _part("a part", inner=_part("inside", None)),
    "partNull": lambda: _part("a part"),
    "parts": lambda: [_part("one"), _part("two", 2)],
    "perhaps": lambda: (_part("one"), None),
    "named": lambda: _first("first", [_part("within")]),
    "nameds": lambda: [_second("second"), _first("first")],
    "either": lambda: _second("second", Size.SMALL),
}


@strawberry.type
class Odd:
    stored: Part | None = None
    stored_word: str | None = "stored"
    stored_list: list[Part | None] | None = None

    @strawberry.field
    def text(self) -> str:
        return _say("text")

    @strawberry.field
    def text_null(self) -> str | None:
        return _say("textNull")

    @strawberry.field
    def whole(self) -> int | None:
        return _say("whole")

    @strawberry.field
    def ratio(self) -> float | None:
        return _say("ratio")

    @strawberry.field
    def yes(self) -> bool | None:
        return _say("yes")

    @strawberry.field
    def id(self) -> strawberry.ID:
        return _say("id")

    @strawberry.field
    def day(self) -> datetime.date | None:
        return _say("day")

    @strawberry.field
    def price(self) -> decimal.Decimal | None:
        return _say("price")

    @strawberry.field
    def json(self) -> JSON | None:
        return _say("json")

    @strawberry.field
    def colour(self) -> Colour | None:
        return _say("colour")

    @strawberry.field
    def size(self) -> Size:
        return _say("size")

    @strawberry.field
    def words(self) -> list[str]:
        return _say("words")

    @strawberry.field
    def grid(self) -> list[list[int | None] | None] | None:
        return _say("grid")

    @strawberry.field
    def part(self) -> Part:
        return _say("part")

    @strawberry.field
    def part_null(self) -> Part | None:
        return _say("partNull")

    @strawberry.field
    def parts(self) -> list[Part]:
        return _say("parts")

    @strawberry.field
    def perhaps(self) -> list[Part | None] | None:
        return _say("perhaps")

    @strawberry.field
    def named(self) -> Named | None:
        return _say("named")

    @strawberry.field
    def nameds(self) -> list[Named]:
        return _say("nameds")

    @strawberry.field
    def either(self) -> Either | None:
        return _say("either")

    @strawberry.field
    def echo(
        self,
        info: strawberry.Info,
        text: str | None,
        number: int = 3,
        wanted: Wanted | None = None,
        picky: Picky = Picky("fine"),
    ) -> str | None:
        return repr((info.context.word, text, number, wanted, picky))


@strawberry.type
class Query:
    @strawberry.field
    def odd(self) -> Odd | None:
        return script.get("odd", Odd)()

    @strawberry.field
    def named(self) -> Named:
        return script.get("root", lambda: _first("root"))()


def _picky(value: str) -> Picky:
    if value == "no":
        raise ValueError("It is picky.")
    return Picky(value)


ODD = strawberry.Schema(
    Query,
    config=StrawberryConfig(
        scalar_map={Picky: strawberry.scalar(name="Picky", parse_value=_picky, serialize=str)}
    ),
)


class Planned(plan.Executor):
    plans = plan.Plans()


async def _stock(document: graphql.DocumentNode, context: object, variables: dict) -> tuple:
    result = graphql.execute(
        ODD._schema, document, context_value=context, variable_values=variables,
        executor_class=Stock, is_awaitable=optimized_is_awaitable,
    )  # fmt: skip
    return _told(await result if inspect.isawaitable(result) else result)


async def _request(document: graphql.DocumentNode, context: object, variables: dict) -> tuple:
    (node,) = document.definitions
    variables_ = Variables(ODD._schema, node)
    prepared = reading.Prepared(
        node, OperationType.QUERY, "query", {}, {}, None, caching.PRIVATE, variables_
    )
    read = variables_.read(variables)
    if isinstance(read, list):
        return _told(graphql.ExecutionResult(None, read))
    result = Planned.performed(ODD._schema, prepared, variables, context, read=read, as_text=True)
    return _told(await result if inspect.isawaitable(result) else result)


def _told(result: graphql.ExecutionResult) -> tuple:
    """Return the answer's text, or that there can be none, and all that is told of each error."""
    try:
        # Where an object is in memory is no part of what it comes to.
        text = re.sub(rb"0x[0-9a-f]+", b"0x", orjson.dumps(result.data))
    except TypeError as wrong:
        text = str(wrong)
    errors = [
        (one.message, one.path, one.locations, repr(one.original_error))
        for one in result.errors or ()
    ]
    return text, errors


async def _same(
    document: graphql.DocumentNode, context: object = None, variables: dict | None = None
) -> tuple:
    """Return the answer, having seen that it is one with and without graphql-core's own ways."""
    context = context or SimpleNamespace(word="word")
    stock = await _stock(document, context, variables or {})
    assert await _request(document, context, variables or {}) == stock
    return stock


class Text(str):
    __slots__ = ()


class Many(list):
    pass


class Stranger:
    """An object of no class of the schema, that has what is asked of one."""

    word = "strange"
    number = 1
    inner = None
    name = "stranger"
    size = Size.SMALL
    parts = ()

    def __repr__(self) -> str:
        return "a stranger"


class Special(Part):
    """An object of a class that nobody told the schema of."""


class Broken:
    """What raises when it is looked at."""

    def __repr__(self) -> str:
        return "something broken"

    @property
    def word(self) -> str:
        raise ValueError("no word")

    name = parts = word


class Waiting:
    """What can be awaited, and is no coroutine."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return self.value


async def _later(make: Callable[[], Any]) -> Any:
    await asyncio.sleep(0)
    return make()


def _raise() -> None:
    raise LookupError("it raised")


def _cast() -> object:
    return strawberry.cast(Second, _second("cast"))  # noqa: TID251 - of its own class


#: Values that no resolver should return, and some that may be rare.
ODDITIES: list[Callable[[], Any]] = [
    lambda: None,
    lambda: Undefined,
    lambda: strawberry.UNSET,
    lambda: ValueError("it was returned"),
    _raise,
    lambda: Text("a text of a class of its own"),
    lambda: UserString("no text"),
    lambda: "\ud800",
    lambda: "\u2028 </script> \x00\x1f é 😀 \" \\ {x} {{y}} '",
    lambda: "",
    lambda: "x" * 3000,
    lambda: b"bytes",
    lambda: True,
    lambda: 0,
    lambda: 2**31 - 1,
    lambda: 2**31,
    lambda: -(2**31) - 1,
    lambda: 2**70,
    lambda: 3.0,
    lambda: -0.0,
    lambda: 1e300,
    lambda: float("nan"),
    lambda: float("inf"),
    lambda: "12",
    lambda: Colour.RED,
    lambda: Strange.RED,
    lambda: Size.SMALL,
    lambda: "small",
    lambda: "red",
    lambda: {"word": "of a dict", 1: 2},
    object,
    lambda: object,
    Stranger,
    Broken,
    lambda: Special(word="special"),
    lambda: _part(None),
    lambda: _part("part", "no number"),
    lambda: _part(_later(lambda: "a word later")),
    lambda: _first("first", None),
    lambda: _first("first", [_part("p"), _later(lambda: _part("later"))]),
    lambda: _first("first", [_part("p"), Special(word="s"), None]),
    lambda: _second(Text("second"), Colour.RED),
    _cast,
    list,
    lambda: Many([_part("one")]),
    lambda: [_part("one"), Broken()],
    lambda: [_later(lambda: _part("one")), _later(_raise), _part("two")],
    lambda: [ValueError("in a list"), _part("two")],
    lambda: [[1, 2**40], (3,), [None, "x"]],
    lambda: {"a", "b"},
    lambda: (word for word in "ab"),
    lambda: (_part(word) for word in "ab"),
    lambda: iter([_first("one"), _second("two")]),
    lambda: Waiting("waited"),
    lambda: Waiting(_part("waited")),
    lambda: _later(_raise),
    lambda: _later(lambda: None),
]
EVERY = graphql.parse("""query {
  odd {
    text textNull whole ratio yes id day price json colour size words grid
    part { word number inner { word number __typename } }
    partNull { word number } parts { word inner { word } } perhaps { number word }
    named { __typename name ... on First { parts { word } } ... on Second { size } }
    nameds { name ... on Second { size } } either { ... on First { name } ... on Second { size } }
    stored { word number } storedWord storedList { word }
  }
}""")
AN_ODDITY = st.sampled_from(ODDITIES)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.dictionaries(st.sampled_from(list(USUAL)), AN_ODDITY, max_size=2), max_size=4),
    st.integers(0, 4),
)
def test_whatever_resolvers_return_once_it_was_usual_the_answer_is_the_same(turns, usual):
    document = _anew(EVERY)

    async def ask() -> None:
        for turn in [{}] * usual + turns + [{}]:
            script.clear()
            script.update(turn)
            await _same(document)

    try:
        asyncio.run(ask())
    finally:
        script.clear()


@pytest.mark.parametrize("name", USUAL)
async def test_a_field_alone_may_return_anything(name, monkeypatch):
    leaf = graphql.is_leaf_type(
        graphql.get_named_type(ODD._schema.type_map["Odd"].fields[name].type)
    )
    inside = "" if leaf else "{ __typename ... on Named { name } ... on Part { word number } }"
    if name in ("named", "nameds", "either"):
        inside = inside.replace("... on Part { word number }", "")
    elif not leaf:
        inside = "{ __typename word number }"
    text = f"{{ odd {{ {name} {inside} }} }}"
    answers = []

    for oddity in ODDITIES:
        document = graphql.parse(text)
        for make in (USUAL[name], USUAL[name], USUAL[name], oddity, USUAL[name], oddity):
            monkeypatch.setitem(script, name, make)
            answers.append(await _same(document))

    assert len(set(map(str, answers))) > 3


@pytest.mark.parametrize("oddity", ODDITIES)
async def test_what_an_object_has_may_be_anything(oddity, monkeypatch):
    document = graphql.parse(
        "{ odd { stored { word number } storedWord storedList { number word } } }"
    )
    answers = []

    for make in (Odd, Odd, Odd, *[lambda: _odd(oddity)] * 4, Odd):
        monkeypatch.setitem(script, "odd", make)
        answers.append(await _same(document))

    assert len(set(map(str, answers))) > 1


def _odd(make: Callable[[], Any]) -> Odd:
    found = []
    for _ in range(3):
        try:
            found.append(make())
        except LookupError as wrong:
            found.append(wrong)
    return Odd(stored=found[0], stored_word=found[1], stored_list=found[2])


@pytest.mark.parametrize(
    ("make", "is_known"),
    [
        (lambda: _first("a name"), True),
        (lambda: _second("a name"), True),
        (_cast, True),
        (lambda: Special(word="special"), False),
        (Stranger, False),
        (Broken, False),
        (lambda: _part("a part"), False),
    ],
)
async def test_an_interface_meets_any_class(make, is_known, monkeypatch):
    document = graphql.parse("{ named { __typename name } }")

    for one in [lambda: _first("a")] * 3 + [make] * 5:
        monkeypatch.setitem(script, "root", one)
        _, errors = await _same(document)

    assert (errors == []) is is_known


@pytest.mark.parametrize(
    ("text", "each"),
    [
        ("query ($t: String) { odd { echo(text: $t) } }", [{"t": "a"}, {}, {"t": None}, {"t": 1}]),
        ("query ($p: Picky!) { odd { echo(text: \"\", picky: $p) } }", [{"p": "a"}, {"p": "no"}]),
        ("query ($n: Int = 4) { odd { echo(text: null, number: $n) } }",
         [{}, {"n": 5}, {"n": None}, {"n": 2**31}]),
        ("query ($w: Wanted) { odd { echo(text: null, wanted: $w) } }",
         [{"w": {"words": ["a"]}}, {"w": {"words": ["no"]}}, {"w": {}}, {"w": None}, {},
          {"w": {"words": "one", "colour": None}}, {"w": {"words": [], "colour": "BLUE"}}]),
        ("query ($c: Colour, $p: Picky!) "  # noqa: ISC004 - one document
         "{ odd { echo(text: null, wanted: { words: [\"b\", $p], colour: $c }) } }",
         [{"c": "RED", "p": "a"}, {"c": "RED", "p": "no"}, {"p": "a"}, {"c": None, "p": "a"}]),
        ("{ odd { echo } }", [{}]),
        ("{ odd { a: echo(number: 2) echo(text: \"x\") } }", [{}]),
    ],
)  # fmt: skip
async def test_arguments_that_fit_now_and_not_then_are_the_same_errors(text, each):
    document = graphql.parse(text)
    assert graphql.validate(ODD._schema, document) == []

    answers = [
        await _same(document, variables=variables)
        for _ in range(2)
        for variables in (each[0], each[0], each[0], *each)
    ]

    assert len(set(map(str, answers))) >= len(each) - 1


async def test_a_context_without_what_a_resolver_asks_of_it_is_the_same_error():
    document = graphql.parse("{ odd { echo(text: null) text } }")

    answers = [
        await _same(document, context)
        for context in (None, None, None, object(), None, object(), object(), object(), None)
    ]

    assert len(set(map(str, answers))) == 2


async def test_a_function_that_met_the_unusual_three_times_is_not_called_again(monkeypatch):
    document = graphql.parse("{ odd { text words } }")
    context = SimpleNamespace(word="")
    for _ in range(3):
        await _request(document, context, {})
    counts = []

    for make in (lambda: "usual", *[lambda: None] * 3, lambda: "usual", lambda: None):
        monkeypatch.setitem(script, "text", make)
        asked.clear()
        await _request(document, context, {})
        counts.append(asked.count("text"))

    assert counts[0] == counts[-1] == counts[-2] == 1
    assert min(counts[1:4]) > 1


@pytest.mark.parametrize("levels", [15, 60, 120])
async def test_however_deep_a_selection_is_it_is_answered(levels, monkeypatch):
    part = None
    for _ in range(levels):
        part = _part("a part", inner=part)
    monkeypatch.setitem(script, "partNull", lambda: part)
    inside = "word " + "inner { word " * levels + "}" * levels
    document = graphql.parse(f"{{ odd {{ partNull {{ {inside} }} }} }}")

    for _ in range(4):
        text, errors = await _same(document)

    assert errors == []
    assert text.count(b"a part") == levels


async def test_what_is_usual_is_compiled_whole(monkeypatch):
    made = []
    of = compiled.Unit.of
    document = _anew(EVERY)
    for _ in range(3):
        await _request(document, None, {})

    monkeypatch.setattr(compiled.Unit, "of", lambda self, run: made.append(self) or of(self, run))
    answer = await _request(document, None, {})

    assert len(made) == 1
    assert answer == await _stock(document, None, {})


def _anew(document: graphql.DocumentNode) -> graphql.DocumentNode:
    """Return a document that nobody has asked with."""
    return graphql.parse(graphql.print_ast(document))


@strawberry.type
class Shelf:
    label: str
    texts: strawberry.Private[Texts] = dataclasses.field(default_factory=Texts)

    @strawberry.field
    def word(self) -> str:
        asked.append("word")
        return f"a word of {self.label}"

    @strawberry.field
    def part(self) -> Part:
        asked.append("part")
        return _part(self.label)

    @strawberry.field
    async def live(self) -> int:
        asked.append("live")
        return len(asked)


@strawberry.type
class Library:
    @strawberry.field
    def shelves(self) -> list[Shelf]:
        return SHELVES

    @strawberry.field
    def things(self) -> list[Annotated[Shelf | Part, strawberry.union("Thing")]]:
        return [*SHELVES, _part("a part")]


SHELVES = [Shelf(label="one"), Shelf(label="two")]
LIBRARY = strawberry.Schema(Library)


class Keeping(plan.Executor):
    plans = plan.Plans()
    same = frozenset(("Shelf", name) for name in ("label", "word", "part")) | frozenset(
        ("Part", name) for name in ("word", "number")
    )


@pytest.mark.parametrize(
    ("fields", "asked_again"),
    [
        ("label word part { word number } live", {"live"}),
        ("live label word part { word }", {"live"}),
        ("word label live part { number word }", {"live"}),
        ("part { word } live", {"live"}),
        ("live part { word } a: live word", {"live", "word"}),
        ("label word part { word }", set()),
    ],
)
@pytest.mark.parametrize("around", ["shelves {{ {} }}", "things {{ ... on Shelf {{ {} }} }}"])
async def test_what_all_are_told_is_written_once_whatever_waits_beside_it(
    fields, asked_again, around
):
    for one in SHELVES:
        one.texts.clear()
    document = graphql.parse(f"{{ {around.format(fields)} }}")
    (node,) = document.definitions
    prepared = reading.Prepared(
        node, OperationType.QUERY, "query", {}, {}, None, caching.PRIVATE,
        Variables(LIBRARY._schema, node),
    )  # fmt: skip
    day = datetime.date(2026, 11, 29)
    context = SimpleNamespace(registry=LIBRARY, catalogue=LIBRARY, today=day, languages="en")

    async def run() -> tuple:
        asked.clear()
        result = Keeping.performed(
            LIBRARY._schema, prepared, {}, context, read={}, as_text=True, is_large=True
        )
        return _told(await result if inspect.isawaitable(result) else result)

    async def stock() -> tuple:
        asked.clear()
        result = graphql.execute(
            LIBRARY._schema, document, context_value=context,
            executor_class=Stock, is_awaitable=optimized_is_awaitable,
        )  # fmt: skip
        return _told(await result if inspect.isawaitable(result) else result)

    def without_live(told: tuple) -> object:
        return re.sub(rb'"(live|a)":\d+', b"", told[0]), told[1]

    first = without_live(await run())
    await run()
    again = without_live(await run())
    named = set(asked)

    assert named == asked_again
    assert first == again == without_live(await stock())
