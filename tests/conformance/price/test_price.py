"""Every field that a query may ask, many times at once: it takes what its points say it does."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace

import graphql
import pytest
from strawberry.schema.schema_converter import GraphQLCoreConverter

import schema
from schema.execution import limits
from tests import asgi, pace
from tests.conformance.price.question import Arguments, Question, Step
from tests.hub import Standing

pytestmark = [pytest.mark.any_database, pytest.mark.conformance_long]

#: What a point is, and how many times that something may take.
POINT_SECONDS = 2e-6
MOST_TIMES = 20
#: How often a document asks a field: the first of these that is no more than may be asked at once.
TIMES = (90, 45, 20, 5, 1)
TOO_MUCH = {
    "OPERATION_TIMEOUT",
    "QUERY_TOO_COSTLY",
    "QUERY_TOO_MANY_ROOT_FIELDS",
    "QUERY_TOO_MANY_TOKENS",
    "TOO_MANY_VARIABLES",
}
#: How often what takes too long is looked at again.
AGAIN = 4

GRAPH = schema.build_schema().graph
META = {"__schema": graphql.SchemaMetaFieldDef, "__type": graphql.TypeMetaFieldDef}
RULE = "eligibility:\n  id: grown\n  fact: age\n  at_least: 18\n  text: {en: Grown up, zh: 成年}\n"

PEOPLE = "{ talents(first: 100) { nodes { id industry card { serial } } } }"
LISTS = """{ menu(first: 100) { nodes { id code policies } } areas { code } categories { code }
  partners { code kind } platformAreas { code } stations { code } }"""
RECEIPT = """query ($code: String!) {
  service(code: $code) { ... on Service { verdict { receipt } } } }"""

Way = tuple[Step, ...]


@dataclass(frozen=True)
class Taken:
    """What a document took; ``data`` is None where it was refused, or came to no end."""

    points: int
    seconds: float
    data: object

    @property
    def times(self) -> float:
        """How many times as long it took as its points say."""
        return self.seconds / (max(self.points, limits.BASE) * POINT_SECONDS)


class Asker:
    """Somebody who asks a hub all that there is to ask, and looks at what it takes."""

    def __init__(self, hub: Standing, arguments: Arguments, role: str) -> None:
        self._app = hub.app
        self._headers = hub.bearer(role)
        self._arguments = arguments
        self._number = 0

    async def dear(self) -> dict[str, str]:
        """Return the fields that take more than they may, and what they took."""
        found = {}
        async for way, step in self._steps():
            taken = await self._taken(way, step)
            if taken.times > MOST_TIMES:
                told = f"{taken.times:.0f} times its {taken.points} points"
                found[" ".join([*(one.name for one in way), str(step)])] = told
        return found

    async def _steps(self) -> AsyncIterator[tuple[Way, Step]]:
        """Yield each field that is worked out, however it may be asked, and the way to it."""
        ways: dict[str, Way] = {"Query": ()}
        pending = ["Query"]
        for kind in pending:
            way = ways[kind]
            for name, field in _fields(kind):
                if not _is_read(field):
                    for given in self._arguments.shapes(field.args):
                        yield way, Step(name, field, given)
                async for step in self._into(way, name, field):
                    if step.kind not in ways:
                        ways[step.kind] = (*way, step)
                        pending.append(step.kind)

    async def _into(self, way: Way, name: str, field: graphql.GraphQLField) -> AsyncIterator[Step]:
        """Yield the steps that a field makes, by the types of what is there."""
        step = Step(name, field, self._arguments.on_the_way(field))
        if not step.is_leaf:
            data = (await self._ask(way, [step])).data
            for kind in sorted(_kinds(data, [*(one.name for one in way), "a0"])):
                yield replace(step, kind=kind)

    async def _taken(self, way: Way, step: Step) -> Taken:
        """Return what a field takes where it is asked many times, at the pace for which bars are.

        The document is read and compiled before; its arguments are new each time.
        """
        for times in TIMES:
            steps = [step] * times
            await self._ask(way, steps)
            best = await self._ask(way, steps)
            if best.data is not None:
                break
        for _ in range(AGAIN):
            if best.times <= MOST_TIMES:
                return best
            again = await self._ask(way, steps)
            slowness = pace.now(1)
            best = min(best, replace(again, seconds=again.seconds / slowness), key=_times)
        return best

    async def _ask(self, way: Way, steps: Sequence[Step]) -> Taken:
        question = Question(self._number)
        document = question.asked(way, steps)
        self._number += len(steps)
        began = time.process_time()
        answer = await asgi.ask(self._app, document, question.variables, headers=self._headers)
        seconds = time.process_time() - began
        found = answer.json()
        if "extensions" not in found:
            assert TOO_MUCH.issuperset(answer.codes), (document, found)
            return Taken(limits.BASE, seconds, None)
        return Taken(found["extensions"]["cost"]["requested"], seconds, found["data"] or {})


def _times(taken: Taken) -> float:
    return taken.times


def _fields(kind: str) -> Iterator[tuple[str, graphql.GraphQLField]]:
    yield from GRAPH.get_type(kind).fields.items()
    if kind == "Query":
        yield from META.items()


def _is_read(field: graphql.GraphQLField) -> bool:
    """Say whether a field is but read of what is there."""
    ours = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return ours is not None and ours.base_resolver is None


def _kinds(value: object, path: Sequence[str]) -> set[str]:
    """Return the types of the things at a path of an answer."""
    if isinstance(value, list):
        return set().union(*(_kinds(one, path) for one in value))
    if not isinstance(value, dict):
        return set()
    return _kinds(value.get(path[0]), path[1:]) if path else {value["__typename"]}


async def _there(hub: Standing) -> dict[str, list]:
    """Return what there is in a hub, by the names of the arguments that ask for it."""
    people = (await hub.ask(PEOPLE, viewer="officer")).json()["data"]["talents"]["nodes"]
    lists = (await hub.ask(LISTS)).json()["data"]
    services = lists.pop("menu")["nodes"]
    codes = {name: [one["code"] for one in rows] for name, rows in lists.items()}
    code = [one["code"] for one in services]
    asked = [(await hub.ask(RECEIPT, {"code": one}, viewer="holder")).json() for one in code[:40]]
    receipts = [one["data"]["service"]["verdict"]["receipt"] for one in asked]
    ids = [one["id"] for one in people]
    return {
        "area": codes["areas"],
        "category": codes["categories"],
        "code": code,
        "eligibility": [RULE],
        "holder": ids,
        "id": ids,
        "ids": [*ids, *(one["id"] for one in services)],
        "industry": sorted({one["industry"] for one in people if one["industry"]}),
        "kind": sorted({one["kind"] for one in lists["partners"]}),
        "name": ["age"],
        "partner": codes["partners"],
        "partnerCode": codes["partners"],
        "platformArea": codes["platformAreas"],
        "policy": sorted({one for service in services for one in service["policies"]}),
        "receipt": receipts,
        "representations": [{"__typename": "Talent", "id": one} for one in ids],
        "serial": [one["card"]["serial"] for one in people if one["card"]],
        "service": code,
        "serviceCode": code,
        "station": codes["stations"],
    }


@pytest.mark.parametrize("role", ["anonymous", "holder", "officer"])
async def test_nothing_takes_much_longer_than_its_points_say(stand, role):
    hub = stand(response_cache=False)
    asker = Asker(hub, Arguments(await _there(hub), hub.clock().date()), role)

    assert await asker.dear() == {}
