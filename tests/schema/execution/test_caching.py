"""What may be shared is the same for everybody: asked by everybody, and where nobody is known."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import graphql
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import schema
from models import demo
from resolvers import menu
from resolvers.context import ZONE
from schema.execution import caching
from tests import hub as standing

BUILT = schema.build_schema()._schema
HINTS = caching.Hints(BUILT)
#: What a field needs that is to be reached.
GIVEN = {
    "Query.service": '(code: "talent-apartment")',
    "Query.menuChanges": "(since: 1)",
    "Query.menu": "(first: 30)",
}
ASKERS = [
    ("anonymous", None),
    ("holder", demo.RETURNEE),
    ("holder", demo.PILOT),
    ("officer", None),
    ("partner", None),
    ("integrator", None),
    ("admin", None),
]


def policy(text: str, name: str | None = None) -> caching.Policy:
    document = graphql.parse(text)
    assert not graphql.validate(BUILT, document)
    return HINTS.policy(document, name)


# ── what is public ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        "{ categories { code name { text } services { code fee { amount } } } }",
        "{ menu(first: 5) { totalCount pageInfo { hasNextPage } nodes { id summary { text } } } }",
        '{ service(code: "x") { __typename ... on Service { id } ... on Fault { message } } }',
        "{ ...A } fragment A on Query { areas { ...B } } fragment B on Area { code }",
        "{ stations { ... on Entry { code citation { quote } } ... { windows { code } } } }",
        "{ _service { sdl } }",
    ],
)
def test_what_says_the_same_to_everybody_may_be_shared(text):
    assert policy(text) == caching.Policy(60, public=True)


@pytest.mark.parametrize(
    "text",
    [
        "{ categories { code services { verdict { outcome } } } }",
        "{ menu { nodes { requirements { workingDays } } } }",
        "{ journeys { questions { name } } }",
        "{ edition { revision publishedBy } }",
        "{ me { name } }",
        "{ eligibleServices { totalCount } }",
        "{ connectors { code } }",
        """{ areas { code } ...A } fragment A on Query { areas { ...B } }
        fragment B on Area { services { verdict { outcome } } }""",
        "{ areas { code } me @skip(if: true) { name } }",
        "{ __schema { types { name } } }",
        "{ __typename }",
        'mutation { reportCardLost(input: {serial: "x"}) { __typename } }',
    ],
)
def test_what_depends_on_who_asks_or_is_not_known_not_to_is_not_kept(text):
    document = graphql.parse(text)

    assert HINTS.policy(document) == caching.PRIVATE


@pytest.mark.parametrize(
    "text",
    [
        "{ menu { nodes { code offers { pages { freshness } } } } }",
        '{ node(id: "Service:talent-apartment") { id } }',
    ],
)
def test_what_says_the_same_to_all_who_show_nobody_may_be_shared_by_them(text):
    assert policy(text) == caching.Policy(None, public=False, open=True)


def test_each_operation_has_a_policy_of_its_own():
    text = "query A { areas { code } } query B { me { name } }"

    assert policy(text, "A").public
    assert not policy(text, "B").public
    assert not policy(text).public


def test_nothing_is_kept_beyond_the_day():
    found = caching.Policy(60, public=True)

    assert found.header(datetime(2026, 11, 22, 10, tzinfo=ZONE)) == "public, max-age=60"
    assert found.header(datetime(2026, 11, 22, 23, 59, 45, tzinfo=ZONE)) == "public, max-age=15"
    assert caching.PRIVATE.header(datetime(2026, 11, 22, tzinfo=ZONE)) == "private, no-store"


def test_fragments_that_spread_the_next_twice_are_each_read_once():
    parts = [f"fragment F{n} on Area {{ ...F{n + 1} ...F{n + 1} }}" for n in range(60)]
    text = "{ areas { ...F0 } } fragment F60 on Area { code } " + " ".join(parts)
    document = graphql.parse(text)

    began = time.perf_counter()
    found = HINTS.policy(document)

    assert found.public
    assert time.perf_counter() - began < 0.05


# ── whoever asks ─────────────────────────────────────────────────────────────────────────────


def spelt(kind: graphql.GraphQLNamedType, name: str) -> str:
    """Return a selection of one field, with what is below it counted but not looked into."""
    field = kind.fields[name]
    below = (
        " { __typename }" if graphql.is_composite_type(graphql.get_named_type(field.type)) else ""
    )
    return f"{name}{GIVEN.get(f'{kind.name}.{name}', '')}{below}"


def walks() -> Iterator[tuple[str, str]]:
    """Yield every type that public fields lead to, and a document with all its public fields."""
    ways = {"Query": "{ %s }"}
    pending = [BUILT.query_type]
    while pending:
        kind = pending.pop(0)
        public = [name for name in getattr(kind, "fields", {}) if (kind.name, name) in HINTS.public]
        if public:
            # Each root is asked by itself: what it may refuse is then seen by itself.
            parts = [spelt(kind, name) for name in public]
            yield kind.name, ways[kind.name] % " ".join(parts)
        for name in public:
            inner = graphql.get_named_type(kind.fields[name].type)
            met = BUILT.get_possible_types(inner) if graphql.is_abstract_type(inner) else [inner]
            for one in met:
                if one.name not in ways and graphql.is_object_type(one):
                    into = f"{{ ... on {one.name} {{ %s }} }}" if one is not inner else "{ %s }"
                    ways[one.name] = ways[kind.name] % (
                        f"{name}{GIVEN.get(f'{kind.name}.{name}', '')} {into}"
                    )
                    pending.append(one)


#: A fault is met where what is asked for is not there.
NOT_THERE = (
    '{ service(code: "talent-flat") { ... on UnknownCodeFault { code message hint nearest } } }'
)
WALKS = {**dict(walks()), "UnknownCodeFault": NOT_THERE}


def test_the_walk_goes_through_the_whole_menu():
    assert {
        *("Query", "Category", "Area", "PlatformArea", "Journey", "Figure", "Service", "Station"),
        *("Partner", "RequiredDocument", "Step", "Fee", "Where", "Window", "Citation", "Quota"),
        *("LocalizedText", "MenuEdition", "MenuChange", "ServiceConnection", "ServiceEdge"),
        *("PageInfo", "UnknownCodeFault", "_Service"),
    } == set(WALKS)


@pytest.fixture(scope="module")
def everybody(shared_hub):
    """Ask in everybody's name, and return the answers."""

    async def everybody(document: str) -> list[bytes]:
        answers = [
            await shared_hub.ask(document, viewer=viewer, person=person)
            for viewer, person in ASKERS
        ]
        return [answer.body for answer in answers]

    return everybody


@pytest.mark.any_database
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", WALKS)
async def test_all_that_is_public_is_answered_to_everybody_byte_for_byte_alike(everybody, name):
    found = await everybody(WALKS[name])

    assert policy(WALKS[name]).public
    assert len(set(found)) == 1
    assert b'"data":{' in found[0]
    assert b'"INTERNAL"' not in found[0]


@pytest.mark.any_database
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "text",
    [
        "{ menu(first: 100) { nodes { code requirements { onRecord { code } } } } }",
        "{ menu(first: 100) { nodes { code verdict { outcome } } } }",
        "{ journeys { code questions { name } } }",
        "{ edition { publishedBy } }",
    ],
)
async def test_what_is_not_public_is_answered_differently_to_some(everybody, text):
    found = await everybody(text)

    assert not policy(text).public
    assert len(set(found)) > 1


# ── where nobody is known ────────────────────────────────────────────────────────────────────


async def impersonal(hub) -> SimpleNamespace:
    """Return all of a query's context that is nobody's: whoever looks at anything else fails."""
    now = standing.NOW
    return SimpleNamespace(
        catalogue=await menu.newest(hub.database),
        registry=await hub.partners.current(),
        database=hub.database,
        languages=("en",),
        now=now,
        today=now.astimezone(ZONE).date(),
    )


async def answered(text: str, context: object) -> graphql.ExecutionResult:
    found: Any = graphql.experimental_execute_incrementally(
        BUILT, graphql.parse(text), context_value=context
    )
    return await found if hasattr(found, "__await__") else found


@pytest.mark.any_database
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", WALKS)
async def test_nothing_public_looks_at_who_asks(shared_hub, name):
    found = await answered(WALKS[name], await impersonal(shared_hub.hub))

    assert found.data
    assert not [one for one in found.errors or () if isinstance(one.original_error, AttributeError)]


@pytest.mark.any_database
@pytest.mark.asyncio(loop_scope="module")
async def test_what_looks_at_who_asks_is_caught_at_it(shared_hub):
    context = await impersonal(shared_hub.hub)
    found = await answered("{ journeys { code questions { name } } }", context)

    assert isinstance(found.errors[0].original_error, AttributeError)


# ── documents nobody thought of ──────────────────────────────────────────────────────────────


class Writer:
    """Writes documents over the whole schema, mostly of public fields, with fragments."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._fragments: list[str] = []

    def document(self) -> str:
        """Return a document that is valid, whether or not it is public."""
        body = self._selection(BUILT.query_type, 5)
        return " ".join([f"query {body}", *self._fragments])

    def _selection(self, kind: graphql.GraphQLNamedType, levels: int) -> str:
        parts = ["__typename"]
        if graphql.is_abstract_type(kind):
            possible = [one for one in BUILT.get_possible_types(kind) if one.name in WALKS]
            parts += [f"... on {one.name} {self._selection(one, levels)}" for one in possible]
        else:
            for name in self._chance.sample(sorted(kind.fields), min(len(kind.fields), 4)):
                parts += self._field(kind, name, levels)
        return f"{{ {' '.join(parts)} }}"

    def _field(self, kind, name: str, levels: int) -> list[str]:
        field, given_ = kind.fields[name], GIVEN.get(f"{kind.name}.{name}", "")
        needs = [one for one in field.args.values() if graphql.is_required_argument(one)]
        is_odd = (kind.name, name) not in HINTS.public and self._chance.random() > 0.03
        inner = graphql.get_named_type(field.type)
        if is_odd or (needs and not given_):
            return []
        if not graphql.is_composite_type(inner):
            return [f"a{self._chance.randrange(3)}{kind.name}{name}: {name}{given_}"]
        if levels == 0:
            return []
        below = self._selection(inner, levels - 1)
        if self._chance.random() < 0.3 and graphql.is_object_type(inner):
            self._fragments.append(f"fragment F{len(self._fragments)} on {inner.name} {below}")
            below = f"{{ ...F{len(self._fragments) - 1} }}"
        return [f"a{self._chance.randrange(3)}{kind.name}{name}: {name}{given_} {below}"]


@pytest.fixture(scope="module")
def documents() -> list[str]:
    """Documents that hypothesis thought of and that are judged public."""
    found: list[str] = []

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 2**32))
    def write(seed: int) -> None:
        text = Writer(random.Random(seed)).document()  # noqa: S311 - it is a test
        document = graphql.parse(text)
        if not graphql.validate(BUILT, document) and HINTS.policy(document).public:
            found.append(text)

    write()
    return found


@pytest.mark.any_database
@pytest.mark.asyncio(loop_scope="module")
async def test_whatever_document_is_judged_public_it_is_answered_alike(everybody, documents):
    assert len(documents) > 10

    for text in documents:
        assert len(set(await everybody(text))) == 1, text
