"""Reads rules out of documents: every mistake at once, each with its place and what would be right.

A rule may build on tables of points, pay lines, zones, the city's rules and other services' rules:
the ``Library`` has them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeGuard, TypeVar

import pydantic

from eligibility import household, period, rule
from eligibility.condition import Value
from eligibility.fact import Fact, Kind
from eligibility.rule import (
    Clause,
    Edition,
    Override,
    Parts,
    PayLine,
    Points,
    Rule,
    Span,
    Written,
    Zone,
)
from eligibility.tree import HOUSEHOLD, Layer, Level, Said
from models import errors, source, text

MOST_CLAUSES = 500
MOST_DEPTH = 24
MOST_VALUES = 1000
#: Whoever lies in several zones doubles what is to be looked at, with each.
MOST_ZONES = 4
MOST_SENTENCE = 2000
#: The set of services that somebody has been granted: what `excludes` looks into.
GRANTED = "services_granted"

_GROUPS = ("all", "any", "none", "of")
_SAID = ("id", "text", "reference")
_ORDERING = ("at_least", "at_most", "more_than", "less_than")
#: What a clause may ask, by the key that says so, with the further keys that go with it.
_ASKS: Mapping[str, tuple[str, ...]] = {
    "fact": rule.OPERATORS,
    "points": _ORDERING,
    "household": ("who", "has", *_ORDERING),
    "requires": (),
    "excludes": (),
}
_SEVERAL = ("in", "not_in")
_EQUAL = ("is", "is_not", *_SEVERAL)
_QUANTIFIERS = ("any", "all", "count")
_EDITION = ("since", "until", "rule", "city", "overrides")
_OVERRIDE = ("zone", "since", "until", "replace", "drop", "add")
_ID = re.compile(r"[a-z][a-z0-9-]{0,79}")

#: Which operators a fact of each sort knows.
_KNOWS: Mapping[Kind, tuple[str, ...]] = {
    Kind.YES_NO: ("is", "is_not"),
    Kind.NUMBER: ("is", "is_not", *_SEVERAL, *_ORDERING),
    Kind.CHOICE: ("is", "is_not", *_SEVERAL),
    Kind.TEXT: ("is", "is_not", *_SEVERAL),
    Kind.DAY: ("is", "is_not", "since", "until", "within", "within_next"),
    Kind.WORDS: ("includes", "lacks"),
    Kind.HOUSEHOLD: (),
}

_Path = list[str | int]
_T = TypeVar("_T")
_C = TypeVar("_C", dict[str, Any], list[Any])


@dataclass(frozen=True, slots=True)
class Library:
    """All that a rule may speak of, by name.

    ``service`` gives the rule of another service, or None where it has mistakes of its own.

    Raises:
        RequireError: by ``service``, where that rule cannot be required by this one.
    """

    facts: Mapping[str, Fact]
    points: Mapping[str, Points] = field(default_factory=dict)
    lines: Mapping[str, PayLine] = field(default_factory=dict)
    zones: Mapping[str, Zone] = field(default_factory=dict)
    city: Mapping[str, Rule] = field(default_factory=dict)
    services: Collection[str] = ()
    service: Callable[[str], Rule | None] = lambda code: None  # noqa: ARG005 - none there


class RequireError(ValueError):
    """A rule that cannot be required; its text says why."""


def parse(
    document: source.Document, at: source.Location, library: Library
) -> tuple[Rule | None, list[errors.Mistake]]:
    """Return the rule at a path of a document, or None and every mistake in it.

    ``everyone`` is the rule without conditions.
    """
    reading = _Reading(document, library)
    editions = reading.editions(_at(document.data, at), list(at))
    if reading.mistakes:
        return None, reading.mistakes
    return Rule(tuple(editions), reading.clauses, reading.size), []


class _Reading:
    """One reading of one rule: collects clauses by id, and mistakes instead of stopping."""

    def __init__(self, document: source.Document, library: Library) -> None:
        self.document = document
        self.library = library
        self.clauses: dict[str, Clause] = {}
        self.mistakes: list[errors.Mistake] = []
        self.size = 0
        self._ids: set[str] = set()

    def wrong(self, at: _Path, sentence: str, hint: str = "") -> None:
        self.mistakes.append(self.document.mistake(at, sentence, hint))

    # --- Editions and layers --------------------------------------------------------------------

    def editions(self, found: object, at: _Path) -> list[Edition]:
        if not isinstance(found, dict) or "editions" not in found:
            return self.edition(found, at)
        self.keys(found, ("editions",), at)
        listed = found["editions"]
        if not isinstance(listed, list) or not listed:
            self.wrong([*at, "editions"], "`editions` needs a list with at least one edition.")
            return []
        editions: list[Edition] = []
        for place, one in enumerate(listed):
            here = [*at, "editions", place]
            if not isinstance(one, dict) or not {"rule", "city"} & one.keys():
                self.wrong(here, "An edition has a `rule`, or the `city`'s, and its days.")
                continue
            # Editions do not hold together, so each may have a clause of the same name.
            self._ids.clear()
            further = self.edition(one, here)
            if any(old.span.meets(new.span) for old in editions for new in further):
                self.wrong(here, "Two editions hold on the same day.")
            editions += further
        return editions

    def edition(self, found: object, at: _Path) -> list[Edition]:
        if not isinstance(found, dict) or not {"rule", "city"} & found.keys():
            return [Edition(Span(), self.root(found, at))]
        self.keys(found, _EDITION, at)
        span = self.span(found, at)
        bases = self.bases(found, at, span)
        overrides = self.overrides(found.get("overrides", []), [*at, "overrides"], bases)
        return [replace(base, overrides=(*base.overrides, *overrides)) for base in bases]

    def bases(self, found: dict[str, Any], at: _Path, span: Span) -> list[Edition]:
        if "rule" in found:
            if "city" in found:
                self.wrong([*at, "city"], "An edition has a `rule` or the `city`'s, not both.")
            return [Edition(span, self.root(found["rule"], [*at, "rule"]))]
        city = self.named("city rule", found["city"], self.library.city, [*at, "city"])
        if city is None:
            return []
        self.clauses |= city.clauses
        self._ids |= city.clauses.keys()
        return [
            replace(one, span=_common(one.span, span))
            for one in city.editions
            if one.span.meets(span)
        ]

    def overrides(self, found: object, at: _Path, bases: Iterable[Edition]) -> tuple[Override, ...]:
        if not isinstance(found, list):
            self.wrong(at, "`overrides` is a list.")
            return ()
        roots = [base.root for base in bases if base.root]
        known = dict.fromkeys(one.said.id for root in roots for one in rule.clauses_in(root))
        read = [self.override(said, [*at, place], known) for place, said in enumerate(found)]
        overrides = tuple(one for one in read if one)
        if len({one.zone.code for one in overrides if one.zone}) > MOST_ZONES:
            self.wrong(at, f"A rule is another in at most {MOST_ZONES} zones.")
        return overrides

    def override(self, found: object, at: _Path, known: Collection[str]) -> Override | None:
        if not isinstance(found, dict) or not {"replace", "drop", "add"} & found.keys():
            self.wrong(at, "An override says what it replaces, drops or adds.")
            return None
        self.keys(found, _OVERRIDE, at)
        span, zone = self.span(found, at), None
        layer = Layer(Level.DISTRICT, None, span.since, span.until)
        if "zone" in found:
            zone = self.named("zone", found["zone"], self.library.zones, [*at, "zone"])
        if zone:
            common = _common(span, zone.span)
            layer = Layer(Level.ZONE, zone.code, common.since, common.until)
        dropped = self.dropped(found, at, known)
        instead = self.replaced(found, at, known, layer)
        for id_ in instead.keys() & dropped.keys():
            self.wrong([*at, "drop"], f"“{id_}” is replaced as well.")
        also = [
            self.of_layer(said, [*at, "add", place], layer)
            for place, said in enumerate(self.filled(found, "add", at, []))
        ]
        return Override(span, zone, instead | dropped, tuple(one for one in also if one))

    def replaced(
        self, found: dict[str, Any], at: _Path, known: Collection[str], layer: Layer
    ) -> dict[str, Written | None]:
        instead = {}
        for id_, said in self.filled(found, "replace", at, {}).items():
            here = [*at, "replace", id_]
            if self.is_clause(id_, known, here):
                self._ids.discard(id_)
                instead[id_] = self.of_layer(said, here, layer)
        return instead

    def dropped(
        self, found: dict[str, Any], at: _Path, known: Collection[str]
    ) -> dict[str, Written | None]:
        listed = self.filled(found, "drop", at, [])
        return {
            id_: None
            for place, id_ in enumerate(listed)
            if self.is_clause(id_, known, [*at, "drop", place])
        }

    def is_clause(self, id_: object, known: Collection[str], at: _Path) -> bool:
        return self.named("clause", id_, dict.fromkeys(known, True), at) is True

    def of_layer(self, said: object, at: _Path, layer: Layer) -> Written | None:
        """Return what a layer says, its clauses marked as its own."""
        written = self.node(said, at, 0)
        if written is None:
            return None
        marked = rule.layered(written, layer)
        self.clauses |= {one.said.id: one for one in rule.clauses_in(marked)}
        return marked

    def filled(self, found: dict[str, Any], word: str, at: _Path, none: _C) -> _C:
        """Return what stands under a key: of the sort of ``none``, which no key at all is."""
        if word not in found:
            return none
        said = found[word]
        if isinstance(said, type(none)) and said:
            return said
        what = "is a list of" if isinstance(none, list) else "has, by their ids,"
        self.wrong([*at, word], f"`{word}` {what} at least one clause.")
        return none

    def span(self, found: Mapping[str, object], at: _Path) -> Span:
        since, until = (self.day(found, word, at) for word in ("since", "until"))
        if since and until and until < since:
            self.wrong([*at, "until"], "This day is before `since`.")
        return Span(since, until)

    def day(self, found: Mapping[str, object], word: str, at: _Path) -> date | None:
        if word not in found:
            return None
        day = period.day_of(str(found[word]))
        if day is None:
            self.wrong([*at, word], "This is no day such as 2024-02-29.")
        return day

    # --- The tree -------------------------------------------------------------------------------

    def root(self, found: object, at: _Path) -> Written | None:
        return None if found == "everyone" else self.node(found, at, 0)

    def node(self, found: object, at: _Path, depth: int) -> Written | None:
        if depth > MOST_DEPTH:
            self.wrong(at, f"Groups may stand in each other {MOST_DEPTH} deep; divide the rule.")
            return None
        if not isinstance(found, dict):
            self.wrong(at, "A rule is `everyone`, a group (all, any, none, of) or a clause.")
            return None
        groups = [word for word in _GROUPS if word in found]
        if not groups:
            return self.clause(found, at)
        word = groups[0]
        beside = found.keys() - {word} - ({"at_least"} if word == "of" else set())
        if beside:
            self.wrong(at, f"A group stands alone: `{word}` has other keys beside it.")
            return None
        return self.group(word, found, at, depth)

    def group(self, word: str, found: dict[str, Any], at: _Path, depth: int) -> Written | None:
        listed = found[word]
        if not isinstance(listed, list) or not listed:
            self.wrong([*at, word], f"`{word}` needs a list with at least one part.")
            return None
        read = [self.node(part, [*at, word, n], depth + 1) for n, part in enumerate(listed)]
        parts = tuple(part for part in read if part is not None)
        if word != "of":
            return Parts(len(parts) if word == "all" else 1, parts, negated=word == "none")
        least = found.get("at_least")
        if not _whole(least) or not 1 <= least <= len(listed):
            self.wrong(at, f"`of` goes with `at_least`, a number from 1 to {len(listed)}.")
            return None
        return Parts(least, parts)

    def clause(self, found: dict[str, Any], at: _Path) -> Clause | None:
        if not self.grown(1, at):
            return None
        before = len(self.mistakes)
        words = [word for word in _ASKS if word in found]
        further = [one for word in words or _ASKS for one in _ASKS[word]]
        self.keys(found, (*_SAID, *_ASKS, *further), at, also=_GROUPS)
        if not words and len(self.mistakes) > before:
            return None  # The key that is misspelt may be the one that says what this is.
        said = self.said(found, at)
        if len(words) != 1:
            self.wrong(at, f"A clause asks one of: {', '.join(f'`{word}`' for word in _ASKS)}.")
            return None
        asks = {
            "fact": self.comparison,
            "points": self.scored,
            "household": self.members,
            "requires": self.requires,
            "excludes": self.excludes,
        }[words[0]](found, at)
        if len(self.mistakes) > before or said is None or asks is None:
            return None
        clause = Clause(said, *asks)
        self.clauses[said.id] = clause
        return clause

    def grown(self, by: int, at: _Path) -> bool:
        """Return whether there may be so many clauses more; say once that there may not."""
        before, self.size = self.size, self.size + by
        if before <= MOST_CLAUSES < self.size:
            sentence = f"A rule has at most {MOST_CLAUSES} clauses, with those it requires"
            self.wrong(at, f"{sentence}; divide it.")
        return self.size <= MOST_CLAUSES

    def said(self, found: dict[str, Any], at: _Path) -> Said | None:
        id_ = self.clause_id(found.get("id"), at)
        sentence = self.sentence(found.get("text"), at)
        reference = found.get("reference")
        if not isinstance(reference, str) or not reference.strip():
            self.wrong([*at, "reference"], "A clause names the source it rests on.")
            return None
        return Said(id_, sentence, reference) if sentence else None

    def clause_id(self, found: object, at: _Path) -> str:
        if not isinstance(found, str) or not _ID.fullmatch(found):
            self.wrong([*at, "id"], "A clause has an id of lower-case letters, digits and “-”.")
        elif found in self._ids:
            self.wrong([*at, "id"], f"Two clauses of this rule are called “{found}”.")
        self._ids.add(str(found))
        return str(found)

    def sentence(self, found: object, at: _Path) -> text.Text | None:
        try:
            sentence = text.Text.model_validate(found)
        except pydantic.ValidationError:
            self.wrong([*at, "text"], "A clause says what it asks, under `en` and `zh`.")
            return None
        if lacks := sentence.lacks():
            self.wrong([*at, "text"], f"This sentence is missing in: {', '.join(lacks)}.")
        if any(len(said) > MOST_SENTENCE for said in sentence.root.values()):
            self.wrong([*at, "text"], f"A sentence has at most {MOST_SENTENCE} characters.")
        return sentence

    # --- What clauses ask -----------------------------------------------------------------------

    def comparison(
        self, found: dict[str, Any], at: _Path
    ) -> tuple[rule.Comparison, tuple[Fact, ...]] | None:
        compared = self.compared(found, at, self.library.facts)
        return (compared, (compared.fact,)) if compared else None

    def compared(
        self, found: dict[str, Any], at: _Path, facts: Mapping[str, Fact]
    ) -> rule.Comparison | None:
        fact = self.named("fact", found.get("fact"), facts, [*at, "fact"])
        words = [word for word in rule.OPERATORS if word in found]
        if len(words) != 1:
            self.wrong(at, f"A clause has exactly one of: {', '.join(rule.OPERATORS)}.")
            return None
        if fact is None:
            return None
        operand = self.operand(fact, words[0], found[words[0]], [*at, words[0]])
        return None if operand is None else rule.Comparison(fact, words[0], operand)

    def operand(self, fact: Fact, word: str, found: object, at: _Path) -> rule.Operand | None:
        ordered = _ORDERING if fact.ordered else ()
        if word not in (*_KNOWS[fact.kind], *ordered):
            why = "has no order, so" if word in _ORDERING else f"is {fact.shape()}:"
            self.wrong(at, f"`{fact.name}` {why} `{word}` cannot be asked of it.")
            return None
        if word in ("within", "within_next"):
            return self.period(found, at)
        if isinstance(found, dict) and word in _ORDERING and not fact.ordered:
            return self.line(found, at)
        if word in _SEVERAL:
            return self.values(fact, word, found, at)
        return self.value(fact, word, found, at)

    def values(self, fact: Fact, word: str, found: object, at: _Path) -> tuple[Value, ...] | None:
        if not isinstance(found, list) or not found:
            self.wrong(at, f"`{word}` needs a list with at least one value.")
            return None
        if len(found) > MOST_VALUES:
            self.wrong(at, f"A list has at most {MOST_VALUES} values; make a fact of it.")
            return None
        values = [self.value(fact, word, one, at) for one in found]
        return None if None in values else tuple(one for one in values if one is not None)

    def value(self, fact: Fact, word: str, found: object, at: _Path) -> Value | None:
        if fact.kind is Kind.WORDS:
            taken: Value | None = found if isinstance(found, str) and found else None
        elif found is None and word not in _EQUAL:
            taken = None  # What is none lies before and after nothing.
        else:
            taken = fact.taken(found)
        if taken is None:
            hint = errors.did_you_mean(errors.nearest(str(found), fact.choices))
            shown = errors.shown(str(found))
            self.wrong(at, f"“{shown}” is no value of `{fact.name}` ({fact.shape()}).", hint)
        return taken

    def period(self, found: object, at: _Path) -> period.Period | None:
        taken = period.Period.of(found)
        if taken is None:
            self.wrong(at, f"“{errors.shown(str(found))}” is no period such as P1Y, P6M or P90D.")
        return taken

    def line(self, found: dict[str, Any], at: _Path) -> PayLine | None:
        if found.keys() != {"line"}:
            self.wrong(at, "A pay line is written `{line: code}`.")
            return None
        return self.named("pay line", found["line"], self.library.lines, [*at, "line"])

    def scored(
        self, found: dict[str, Any], at: _Path
    ) -> tuple[rule.Scored, tuple[Fact, ...]] | None:
        points = self.named(
            "table of points", found["points"], self.library.points, [*at, "points"]
        )
        limit = self.limit(found, at)
        if points is None or limit is None:
            return None
        facts = {fact.name: fact for table in points.versions for fact in table.facts}
        return rule.Scored(points, *limit), tuple(facts.values())

    def limit(self, found: dict[str, Any], at: _Path) -> tuple[str, int] | None:
        words = [word for word in _ORDERING if word in found]
        if len(words) != 1 or not _whole(found[words[0]]):
            self.wrong(at, f"This goes with a whole number under one of: {', '.join(_ORDERING)}.")
            return None
        return words[0], found[words[0]]

    def members(
        self, found: dict[str, Any], at: _Path
    ) -> tuple[rule.Members, tuple[Fact, ...]] | None:
        quantifier = found["household"]
        if quantifier not in _QUANTIFIERS:
            hint = errors.did_you_mean(errors.nearest(str(quantifier), _QUANTIFIERS))
            self.wrong([*at, "household"], f"This is one of: {', '.join(_QUANTIFIERS)}.", hint)
            return None
        who, has = (self.conditions(found.get(word, []), [*at, word]) for word in ("who", "has"))
        if not found.get("who") and not found.get("has"):
            self.wrong(at, "`household` says `who` is meant, what each `has`, or both.")
        limit: tuple[str, int] | None = ("at_least", 1)
        if quantifier == "count":
            limit = self.limit(found, at)
        elif any(word in found for word in _ORDERING):
            self.wrong(at, f"Only `household: count` goes with one of: {', '.join(_ORDERING)}.")
        if limit is None:
            return None
        members = rule.Members(quantifier, who, has, *limit)
        return members, (self.library.facts[HOUSEHOLD],)

    def conditions(self, found: object, at: _Path) -> tuple[rule.Comparison, ...]:
        if not isinstance(found, list):
            self.wrong(at, "This is a list of conditions.")
            return ()
        conditions = []
        for place, one in enumerate(found):
            here = [*at, place]
            if not isinstance(one, dict):
                self.wrong(here, "A condition has a `fact` and an operator.")
                continue
            self.keys(one, ("fact", *rule.OPERATORS), here)
            conditions.append(self.compared(one, here, household.FACTS))
        return tuple(one for one in conditions if one)

    def requires(
        self, found: dict[str, Any], at: _Path
    ) -> tuple[rule.Required, tuple[Fact, ...]] | None:
        here = [*at, "requires"]
        services = dict.fromkeys(self.library.services, True)
        if not self.named("service", found["requires"], services, here):
            return None
        try:
            other = self.library.service(found["requires"])
        except RequireError as why:
            self.wrong(here, str(why))
            return None
        if other is None:
            self.wrong(here, "The rule of that service has mistakes.")
            return None
        self.grown(other.size, here)
        return rule.Required(found["requires"], other), ()

    def excludes(
        self, found: dict[str, Any], at: _Path
    ) -> tuple[rule.Comparison, tuple[Fact, ...]] | None:
        here = [*at, "excludes"]
        services = dict.fromkeys(self.library.services, True)
        if not self.named("service", found["excludes"], services, here):
            return None
        granted = self.library.facts[GRANTED]
        return rule.Comparison(granted, "lacks", found["excludes"]), (granted,)

    # --- Common to all --------------------------------------------------------------------------

    def named(self, noun: str, found: object, known: Mapping[str, _T], at: _Path) -> _T | None:
        if isinstance(found, str) and found in known:
            return known[found]
        hint = errors.did_you_mean(errors.nearest(str(found), known))
        self.wrong(at, f"There is no {noun} “{errors.shown(str(found))}”.", hint)
        return None

    def keys(
        self,
        found: Mapping[str, object],
        known: Collection[str],
        at: _Path,
        also: Collection[str] = (),
    ) -> None:
        for key in found:
            if key not in known:
                hint = errors.did_you_mean(errors.nearest(str(key), (*known, *also)))
                self.wrong([*at, str(key)], f"There is no key “{errors.shown(str(key))}”.", hint)


def _common(one: Span, other: Span) -> Span:
    since = max((day for day in (one.since, other.since) if day), default=None)
    until = min((day for day in (one.until, other.until) if day), default=None)
    return Span(since, until)


def _whole(found: object) -> TypeGuard[int]:
    return isinstance(found, int) and not isinstance(found, bool)


def _at(data: object, at: source.Location) -> object:
    for step in at:
        data = data[step]  # type: ignore[index]  # the caller names a path that stands in the file
    return data
