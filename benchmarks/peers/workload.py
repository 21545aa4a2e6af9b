"""The four workloads: what is asked, by how many at once, and what the answer must be."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from benchmarks.peers import partners
from benchmarks.peers.dataset import CATEGORIES, Dataset, Service, serial

Variables = Mapping[str, Any]
Answer = Mapping[str, Any]

PAGE = 20
ITEMS = 10
_CARDS = 5_000
_SEED = 7

_SERVICE = "id code name summary slaDays documents { name } partners { id name kind }"


@dataclass(frozen=True, slots=True)
class Workload:
    """One question, asked by so many connections at once for so long, and its right answers."""

    name: str
    title: str
    query: str
    connections: int
    seconds: float
    variables: Callable[[int], Sequence[Variables]] = field(repr=False)
    answer: Callable[[Dataset, Variables], Answer] = field(repr=False)


def _service(data: Dataset, one: Service) -> Answer:
    rows = [data.partners[number] for number in one.partners]
    return {
        "id": str(one.id),
        "code": one.code,
        "name": one.name,
        "summary": one.summary,
        "slaDays": one.days,
        "documents": [{"name": name} for name in one.documents],
        "partners": [{"id": str(row.id), "name": row.name, "kind": row.kind} for row in rows],
    }


def _of(data: Dataset, categories: Sequence[int]) -> list[Answer]:
    found = data.services.values()
    return [_service(data, one) for one in found if one.category in categories]


def _menu(data: Dataset, _: Variables) -> Answer:
    return {
        "categories": [
            {"id": str(place), "name": name, "services": _of(data, [place])}
            for place, (_code, name, _zh) in enumerate(CATEGORIES, 1)
        ]
    }


def _page(data: Dataset, asked: Variables) -> Answer:
    return {"services": _of(data, asked["categoryIds"])[: asked["first"]]}


def _card(data: Dataset, asked: Variables) -> Answer:
    one = data.people[int(asked["serial"][2:]) - 1]
    holder = {"name": one.name, "category": one.category}
    return {"card": {"serial": one.serial, "status": one.status, "talent": holder}}


def _federated(data: Dataset, asked: Variables) -> Answer:
    return canonical(
        {
            kind: [
                {
                    "id": service.id,
                    "code": service.code,
                    "name": service.name,
                    field: partners.answer(kind, partner.id),
                }
                for service, partner in data.served(kind, asked["n"])
            ]
            for kind, field in partners.FIELDS.items()
        }
    )


def _cards(people: int) -> list[Variables]:
    dice = random.Random(_SEED)
    return [{"serial": serial(dice.randint(1, people))} for _ in range(_CARDS)]


def _pairs(_: int) -> list[Variables]:
    pairs = combinations(range(1, len(CATEGORIES) + 1), 2)
    return [{"categoryIds": list(pair), "first": PAGE} for pair in pairs]


WORKLOADS = {
    one.name: one
    for one in (
        Workload(
            name="W1",
            title="the whole menu",
            query=f"{{ categories {{ id name services {{ {_SERVICE} }} }} }}",
            connections=8,
            seconds=8,
            variables=lambda _: [{}],
            answer=_menu,
        ),
        Workload(
            name="W2",
            title=f"a page of {PAGE} services",
            query="query Page($categoryIds: [Int!]!, $first: Int!) "
            f"{{ services(categoryIds: $categoryIds, first: $first) {{ {_SERVICE} }} }}",
            connections=16,
            seconds=4,
            variables=_pairs,
            answer=_page,
        ),
        Workload(
            name="W3",
            title="a card by its serial",
            query="query Card($serial: String!) "
            "{ card(serial: $serial) { serial status talent { name category } } }",
            connections=32,
            seconds=4,
            variables=_cards,
            answer=_card,
        ),
        Workload(
            name="W4",
            title=f"{len(partners.FIELDS)} partners, {ITEMS} items each",
            query="query Live($n: Int!) {"
            ' bank: partnerServices(kind: "bank", first: $n)'
            " { id code name fxQuote { partnerId branch rates { currency buy sell } } }"
            ' hospital: partnerServices(kind: "hospital", first: $n)'
            " { id code name hospitalSlots { partnerId slots { department at free } } }"
            ' school: partnerServices(kind: "school", first: $n)'
            " { id code name schoolPlaces { partnerId places { grade free } } }"
            ' cinema: partnerServices(kind: "cinema", first: $n)'
            " { id code name cinemaShowings { partnerId showings { film at seats } } } }",
            connections=32,
            seconds=4,
            variables=lambda _: [{"n": ITEMS}],
            answer=_federated,
        ),
    )
}

_IDS = frozenset({"id", "partnerId"})
#: Lists that a partner gives in no order that anybody asked for, and what tells their items apart.
_UNORDERED = {"rates": "currency", "slots": "department", "places": "grade", "showings": "film"}


def canonical(answer: Any) -> Any:
    """Return an answer with its ids as text, and with what has no order in one order.

    >>> canonical({"partnerId": 3, "places": [{"grade": 4}, {"grade": 1}]})
    {'partnerId': '3', 'places': [{'grade': 1}, {'grade': 4}]}
    """
    if isinstance(answer, list):
        return [canonical(one) for one in answer]
    if not isinstance(answer, dict):
        return answer
    found = {}
    for name, value in answer.items():
        plain = canonical(value)
        if name in _UNORDERED:
            plain = sorted(plain, key=lambda one, by=_UNORDERED[name]: one[by])
        found[name] = str(plain) if name in _IDS else plain
    return found
