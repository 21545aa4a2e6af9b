"""The hub as one of those who are compared: the same data on its own menu, in its own words.

What is otherwise in the hub, and how it is read back:

* A code is in small letters, and stands in the id: service 13, ``EMP-01``, is ``Service:emp-01``;
  partner 12, ``Hospital 02``, is ``Partner:hospital-02``. The numbers are counted from these.
* A name is a text in two languages, so the English one is asked for as ``name { text }``; of a
  service's days the longest is meant, and all classes have the same.
* Two categories are two connections, since one is of one category: the first has all twelve of the
  page's services, the second the rest.
* A serial has a check character: card 7 is the serial of these 40 bits. A card whose day is over
  is still ``ACTIVE``, so its last day is asked for too; the class's letter is ``classAlias``.
* Each of the four systems is one partner whose topics are the partners of the menu, so that what is
  asked of many of them is one call. Services that ask these systems are beside the menu of 168: on
  it no longer, and found by id. A rate, a slot, a place and a showing are each an offer of that
  shape; whose it is, and what tells it apart, stands in its id.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import server
import settings as configuration
from benchmarks import machine
from benchmarks.peers import partners
from benchmarks.peers.dataset import (
    CATEGORIES,
    DOCUMENTS,
    KINDS,
    PARTNERS_A_KIND,
    SERVICES,
    Dataset,
    Person,
    Service,
    serial,
)
from benchmarks.peers.peer import Peer, Question
from benchmarks.peers.workload import ITEMS, Answer, Variables, canonical
from connectors.registry import PARTNERS
from models import card, source, talent
from models.card import Status
from models.database import Database
from models.menu import TalentClass
from resolvers.context import ZONE
from resolvers.viewer import Role
from settings import Settings

#: Answers are remembered so long where partners are not asked for every query.
FRESH_SECONDS = 1

_YEAR = timedelta(days=365)
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CITED = {"source": "hub"}
_SINCE, _UNTIL, _CHECKED = "2024-01-01", "2024-12-31", "2024-06-01"
#: Of each kind a file that comes with the hub, and what its partner may be asked for.
_MODELS = {
    "bank": ("jiangsu-road-bank", "pass", "account-opening"),
    "hospital": ("jinzhong-road-hospital", "appointment", "dental"),
    "school": ("changning-school-office", "place", "primary"),
    "cinema": ("hongqiao-cinema", "showing", "film"),
}


# ── the menu ─────────────────────────────────────────────────────────────────────────────────


def write_menu(folder: Path, data: Dataset) -> None:
    """Write the data as a menu folder; lists that it has nothing for are empty."""
    folder.joinpath("services").mkdir(parents=True)
    for path in (configuration.HOME / "menu").glob("*.yaml"):
        _write(folder / path.name, [])
    _write(folder / "sources.yaml", [{"code": "hub", "title": "Benchmark", "publisher": "Hub"}])
    _write(folder / "categories.yaml", [_coded(code, *names) for code, *names in CATEGORIES])
    _write(folder / "documents.yaml", [_coded(_slug(name), name) for name in DOCUMENTS])
    for one in data.services.values():
        asks = [_ask(number) for number in one.partners]
        _write_service(folder, one, one.code, asks)
    for kind, (capability, _) in _OFFERS.items():
        for one, partner in data.served(kind, ITEMS):
            ask = {"partner": kind, "capability": capability, "topic": str(partner.id)}
            _write_service(folder, one, f"{one.code}-{kind}", [ask], until=_UNTIL)


def _write_service(
    folder: Path, one: Service, code: str, asks: Sequence[Mapping[str, str]], **valid: str
) -> None:
    category, _, _ = CATEGORIES[one.category - 1]
    text = {"en": one.summary}
    said = {
        "code": code.lower(),
        "category": category.lower(),
        "audience": ["FOREIGN_NATIONAL"],
        "name": {"en": one.name, "zh": one.name_zh},
        "summary": text,
        "description": text,
        "documents": [{"document": _slug(name)} for name in one.documents],
        "steps": [{"text": text, "channel": "PARTNER"}],
        "fee": {"amount": 0, "citation": _CITED},
        "promise": {**dict.fromkeys(("high", "medium", "low"), one.days), "citation": _CITED},
        "where": {"online": text},
        "partners": asks,
        "eligibility": "everyone",
        "citations": [_CITED],
        "valid": {"since": _SINCE, **valid},
        "assured": {"at": _CHECKED, "by": "Benchmark", "stale_after": "2124-01-01"},
        "examples": [{"name": "anybody", "given": {}, "outcome": "ELIGIBLE"}],
    }
    _write(folder / "services" / f"{code.lower()}.yaml", said)


def _ask(number: int) -> dict[str, str]:
    _, capability, topic = _MODELS[KINDS[(number - 1) // PARTNERS_A_KIND]]
    return {"partner": partner_code(number), "capability": capability, "topic": topic}


def _coded(code: str, english: str, chinese: str | None = None) -> dict[str, Any]:
    name = {"en": english, "zh": chinese} if chinese else {"en": english}
    return {"code": code.lower(), "name": name, "citation": _CITED}


def _slug(name: str) -> str:
    return name.lower().replace(" ", "-")


def _write(path: Path, said: object) -> None:
    # What is JSON is YAML too.
    path.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")


# ── the partners ─────────────────────────────────────────────────────────────────────────────


def partner_code(number: int) -> str:
    """Return the hub's code of a partner of the menu.

    >>> partner_code(12)
    'hospital-02'
    """
    kind, place = divmod(number - 1, PARTNERS_A_KIND)
    return f"{KINDS[kind]}-{place + 1:02d}"


#: Of each system the shape of what it gives, and where the parts of one are found.
_OFFERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "bank": (
        "quote",
        {
            "foreach": "rates",
            "key": "currency",
            "with": {"branch": "branch"},
            "fields": {
                "title": "with.branch",
                "instrument": "currency",
                "currency": "'CNY'",
                "rate": "buy",
            },
            "attributes": [{"name": "sell", "label": "Selling rate", "value": "sell"}],
        },
    ),
    "hospital": (
        "appointment",
        {
            "foreach": "slots",
            "key": "department",
            "fields": {
                "title": "department",
                "where": "department",
                "start": "at",
                "end": "at",
                "remaining": "free",
            },
        },
    ),
    "school": (
        "place",
        {
            "foreach": "places",
            "key": "to_string(grade)",
            "fields": {
                "title": "to_string(grade)",
                "where": "'School'",
                "intake": "to_string(grade)",
                "remaining": "free",
            },
        },
    ),
    "cinema": (
        "showing",
        {
            "foreach": "showings",
            "key": "film",
            "fields": {"title": "film", "venue": "'Cinema'", "start": "at", "seats": "seats"},
        },
    ),
}


def write_partners(folder: Path, data: Dataset, systems: str) -> None:
    """Write a file for each partner of the menu, and for each of the systems at this address."""
    folder.mkdir(parents=True)
    for one in data.partners.values():
        said = _like(_MODELS[one.kind][0], partner_code(one.id), one.name)
        _write(folder / f"{said['slug']}.yaml", said)
    for kind in KINDS:
        _write(folder / f"{kind}.yaml", _system(kind, systems))


def _like(model: str, code: str, name: str) -> dict[str, Any]:
    said = dict(source.read(PARTNERS / f"{model}.yaml", model).data)
    # Nothing is booked, nobody is asked about, and one example is enough.
    said |= {"books": [], "supplies": [], "examples": said["examples"][:1]}
    return {**said, "slug": code, "name": {"en": name}}


def _system(kind: str, systems: str) -> dict[str, Any]:
    capability, given = _OFFERS[kind]
    path, _, interface = partners.INTERFACES[kind].partition("/")
    key, places = given["key"], {"partner": "to_string(partnerId)", **given.get("with", {})}
    offering = {
        "call": {"path": interface, "query": {"ids": "{batch}"}},
        "batch": {"join": ",", "key": "partnerId"},
        "records": [{"foreach": "@", "with": places}, {"foreach": given["foreach"]}],
        # They say what they have, whenever it is.
        "window": "any",
        "fields": {"id": f"join('/', [with.partner, {key}])", **given["fields"]},
        "attributes": given.get("attributes", []),
    }
    asked = {"capability": capability, "topic": "1"}
    times = {"since": "2026-11-23T00:00:00+08:00", "until": "2026-12-08T00:00:00+08:00"}
    return {
        "slug": kind,
        "kind": "http",
        "name": {"en": f"System of {kind}s"},
        "owner": "Benchmark",
        "about": {"en": f"What each {kind} of the menu has."},
        "documentation": "benchmarks/peers/partners.py",
        "district": "changning",
        "address": f"{systems}/{path}/",
        "limits": {"concurrency": 100},
        "freshness": {"fresh_seconds": FRESH_SECONDS},
        "options": {"offers": {capability: offering}},
        "examples": [
            {
                "name": "it has nothing",
                "inquiries": [{**asked, **times}],
                "replies": [{"path": interface, "query": {"ids": "1"}, "json": []}],
                "offers": [[]],
            }
        ],
    }


# ── the people ───────────────────────────────────────────────────────────────────────────────

_SOURCE = "benchmark"
_CLASSES = {one.alias: one for one in TalentClass}
_STATUSES = {"suspended": Status.SUSPENDED, "revoked": Status.REVOKED}


async def load(settings: Settings, data: Dataset) -> None:
    """Put people and menu into the hub's database, which is empty."""
    now = datetime.now(UTC)
    database = Database(settings.database_url)
    try:
        await database.upgrade()
        async with database.begin() as session:
            session.add_all(_person(one, now) for one in data.people)
        await database.settle("talent", "card")
    finally:
        await database.close()
    await server.prepare(settings)


def _person(one: Person, now: datetime) -> talent.Talent:
    today, talent_class = now.date(), _CLASSES[one.category]
    recorded = {"source": _SOURCE, "recorded_at": now}
    held = card.Card(
        serial=card.serial(one.number),
        batch=1,
        issued_on=today - _YEAR,
        valid_until=today + (-timedelta(days=1) if one.status == "expired" else _YEAR),
        status=_STATUSES.get(one.status, Status.ACTIVE),
        tier=talent_class,
        sandbox=False,
        **recorded,
    )
    return talent.Talent(
        handle=f"person{one.number}",
        name=one.name,
        name_key=talent.name_key(one.name),
        nationality=one.nationality,
        district="changning",
        talent_class=talent_class,
        cards=[held],
        **recorded,
    )


# ── what is asked, and what is answered ──────────────────────────────────────────────────────

_SERVICE = (
    "id code name { text } summary { text } workingDays "
    "documents { name { text } } partners { id name { text } kind }"
)
_FRAGMENT = f"fragment Listed on ServiceConnection {{ nodes {{ {_SERVICE} }} }}"
#: So many rates, slots, places and showings each partner has.
_PARTS = 3
_SHAPES = {
    "bank": "... on Quote { instrument rate attributes { value } }",
    "hospital": "... on Appointment { start remaining }",
    "school": "... on Place { intake remaining }",
    "cinema": "... on Showing { start seats }",
}


def _two_categories(asked: Variables) -> Variables:
    first, second = (CATEGORIES[one - 1][0].lower() for one in asked["categoryIds"])
    whole = min(len(SERVICES), asked["first"])
    return {"one": first, "many": whole, "other": second, "left": asked["first"] - whole}


def _live(data: Dataset) -> Question:
    ids = {
        kind: [f"Service:{one.code.lower()}-{kind}" for one, _ in data.served(kind, ITEMS)]
        for kind in KINDS
    }
    fields = " ".join(
        f"{kind}: nodes(ids: ${kind}) {{ ... on Service {{ id name {{ text }} "
        f"offers(first: {_PARTS}) {{ pages {{ nodes {{ id title {_SHAPES[kind]} }} }} }} }} }}"
        for kind in KINDS
    )
    declared = ", ".join(f"${kind}: [ID!]!" for kind in KINDS)
    return Question(f"query Live({declared}) {{ {fields} }}", lambda _: ids)


def questions(data: Dataset) -> dict[str, Question]:
    """Return each workload as the hub is asked for it."""
    return {
        "W1": Question(f"{{ categories {{ id name {{ text }} services {{ {_SERVICE} }} }} }}"),
        "W2": Question(
            "query Page($one: String!, $many: Int!, $other: String!, $left: Int!) {"
            " one: menu(filter: {category: $one}, first: $many) { ...Listed }"
            " other: menu(filter: {category: $other}, first: $left) { ...Listed } } "
            f"{_FRAGMENT}",
            _two_categories,
        ),
        "W3": Question(
            "query Card($serial: String!) { card(serial: $serial) "
            "{ serial status validUntil talent { name classAlias } } }",
            lambda asked: {"serial": card.serial(int(asked["serial"][2:]))},
        ),
        "W4": _live(data),
    }


def read(workload: str, answer: Any) -> Answer:
    """Return the hub's answer in the words of the others."""
    return canonical(_READ[workload](answer))


def _read_menu(answer: Any) -> Answer:
    codes = [code.lower() for code, *_ in CATEGORIES]
    return {
        "categories": [
            {
                "id": codes.index(_key(one)) + 1,
                "name": one["name"]["text"],
                "services": [_read_service(row) for row in one["services"]],
            }
            for one in answer["categories"]
        ]
    }


def _read_page(answer: Any) -> Answer:
    rows = [*answer["one"]["nodes"], *answer["other"]["nodes"]]
    return {"services": [_read_service(row) for row in rows]}


def _read_service(row: Any) -> Answer:
    return {
        "id": _number(row["code"]),
        "code": row["code"].upper(),
        "name": row["name"]["text"],
        "summary": row["summary"]["text"],
        "slaDays": row["workingDays"],
        "documents": [{"name": one["name"]["text"]} for one in row["documents"]],
        "partners": [
            {"id": _partner_number(_key(one)), "name": one["name"]["text"], "kind": one["kind"]}
            for one in row["partners"]
        ],
    }


def _read_card(answer: Any) -> Answer:
    one = answer["card"]
    status = {"ACTIVE": "valid"}.get(one["status"], one["status"].lower())
    if status == "valid" and date.fromisoformat(one["validUntil"]) < datetime.now(UTC).date():
        status = "expired"
    holder = one["talent"]
    return {
        "card": {
            "serial": serial(_serial_number(one["serial"])),
            "status": status,
            "talent": {"name": holder["name"], "category": holder["classAlias"]},
        }
    }


def _read_live(answer: Any) -> Answer:
    return {
        kind: [
            {
                "id": _number(code),
                "code": code.upper(),
                "name": row["name"]["text"],
                partners.FIELDS[kind]: _LIVE[kind](row["offers"]["pages"][0]["nodes"]),
            }
            for row in answer[kind]
            for code in [_key(row).removesuffix(f"-{kind}")]
        ]
        for kind in KINDS
    }


def _read_bank(offers: Sequence[Any]) -> Answer:
    rates = [
        {
            "currency": one["instrument"],
            "buy": float(one["rate"]),
            "sell": float(one["attributes"][0]["value"]),
        }
        for one in offers
    ]
    return {"partnerId": _of(offers), "branch": offers[0]["title"], "rates": rates}


def _read_hospital(offers: Sequence[Any]) -> Answer:
    slots = [
        {"department": one["title"], "at": _local(one["start"]), "free": one["remaining"]}
        for one in offers
    ]
    return {"partnerId": _of(offers), "slots": slots}


def _read_school(offers: Sequence[Any]) -> Answer:
    places = [{"grade": int(one["intake"]), "free": one["remaining"]} for one in offers]
    return {"partnerId": _of(offers), "places": places}


def _read_cinema(offers: Sequence[Any]) -> Answer:
    showings = [
        {"film": one["title"], "at": _local(one["start"]), "seats": one["seats"]} for one in offers
    ]
    return {"partnerId": _of(offers), "showings": showings}


_READ: Mapping[str, Callable[[Any], Answer]] = {
    "W1": _read_menu,
    "W2": _read_page,
    "W3": _read_card,
    "W4": _read_live,
}
_LIVE: Mapping[str, Callable[[Sequence[Any]], Answer]] = {
    "bank": _read_bank,
    "hospital": _read_hospital,
    "school": _read_school,
    "cinema": _read_cinema,
}


def _key(row: Any) -> str:
    key: str = row["id"].partition(":")[2]
    return key


def _of(offers: Sequence[Any]) -> str:
    number: str = offers[0]["id"].partition("/")[0]
    return number


def _local(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone(ZONE).replace(tzinfo=None).isoformat()


def _number(code: str) -> int:
    category, _, place = code.upper().partition("-")
    codes = [one for one, *_ in CATEGORIES]
    return codes.index(category) * len(SERVICES) + int(place)


def _partner_number(code: str) -> int:
    kind, _, place = code.partition("-")
    return KINDS.index(kind) * PARTNERS_A_KIND + int(place)


def _serial_number(printed: str) -> int:
    digits = printed.removeprefix("GW-").replace("-", "")[: card.SERIAL_BITS // 5]
    return functools.reduce(lambda bits, one: bits << 5 | _DIGITS.index(one), digits, 0)


# ── the processes ────────────────────────────────────────────────────────────────────────────


def environment(folder: Path, database_url: str, **more: str) -> dict[str, str]:
    """Return the settings of the hub with this data, as the environment says them.

    All are asked by one caller, who is therefore not charged for what it costs.
    """
    return machine.environment(
        folder,
        database_url,
        0,
        MENU=str(folder / "menu"),
        PARTNERS=str(folder / "partners"),
        EGRESS_ALLOW="127.0.0.0/8",
        POINTS_PER_SECOND="0",
        **more,
    )


def peers(settings: Settings, said: Mapping[str, str], data: Dataset) -> list[Peer]:
    """Return the hub that keeps no answers, of its own or of partners; and as it is by itself."""
    token = server.development_token(settings, Role.OFFICER, "benchmark")
    live = {"ALWAYS_LIVE": "1", "RESPONSE_CACHE": "0"}
    return [
        Peer(
            name=name,
            command=(sys.executable, "-m", "benchmarks.hub"),
            folder=configuration.HOME,
            environment={**said, **{f"{configuration.PREFIX}{k}": v for k, v in more.items()}},
            questions=questions(data),
            headers={"W3": machine.bearer(token)},
            read=read,
        )
        for name, more in (("hub", live), ("hub-cache", {}))
    ]
