"""The rule tree: read from YAML with good complaints, judged for one person."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pydantic

from eligibility.fact import Fact, Kind, Value
from eligibility.verdict import Outcome, Reason, Truth, Verdict
from models import errors, source, text

#: The value of a fact by name, None where it is not known.
Known = Mapping[str, Value | None]

_GROUPS = ("all", "any", "none")
_CLAUSE_KEYS = ("id", "fact", "text", "reference")
_ID = re.compile(r"[a-z][a-z0-9-]*")

#: Operators by word: what they compare with, and how.
_COMPARE: Mapping[str, Callable[[Value, Value], bool]] = {
    "is": operator.eq,
    "is_not": operator.ne,
    "at_least": operator.ge,
    "at_most": operator.le,
    "more_than": operator.gt,
    "less_than": operator.lt,
}
_AMONG: Mapping[str, bool] = {"in": True, "not_in": False}
_ORDERING = ("at_least", "at_most", "more_than", "less_than")
OPERATORS = (*_COMPARE, *_AMONG)


@dataclass(frozen=True, slots=True)
class Clause:
    """A leaf: one fact compared with one operand. One id, one sentence per language, one source."""

    id: str
    fact: Fact
    operator: str
    operand: Value | tuple[Value, ...]
    text: text.Text
    reference: str

    def truth(self, known: Known) -> Truth:
        """Return whether this clause holds; None where its fact is not known."""
        value = known.get(self.fact.name)
        if value is None:
            return None
        if isinstance(self.operand, tuple):
            return (value in self.operand) is _AMONG[self.operator]
        return _COMPARE[self.operator](_rank(self.fact, value), _rank(self.fact, self.operand))


@dataclass(frozen=True, slots=True)
class Group:
    """An inner node: ``all``, ``any`` or ``none`` of its parts."""

    word: str
    parts: tuple[Clause | Group, ...]


Node = Clause | Group


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may have a service. ``root`` is None where everyone may."""

    root: Node | None
    clauses: Mapping[str, Clause] = field(default_factory=dict)

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The facts it asks for, in the order it asks."""
        return tuple({clause.fact.name: clause.fact for clause in self.clauses.values()}.values())

    def judge(self, known: Known, silent: Mapping[str, str] | None = None) -> Verdict:
        """Return the verdict on what is known.

        ``silent`` names, for facts a partner should have supplied, the partner that did not answer.
        """
        if self.root is None:
            return Verdict(Outcome.ELIGIBLE)
        truth, deciding = _judge(self.root, known)
        reasons = tuple(Reason(clause.id, clause.truth(known)) for clause in deciding)
        if truth is not None:
            return Verdict(Outcome.ELIGIBLE if truth else Outcome.INELIGIBLE, reasons)
        wanting = tuple(dict.fromkeys(clause.fact.name for clause in deciding))
        unheard = {name: silent[name] for name in wanting if name in silent} if silent else {}
        missing = tuple(name for name in wanting if name not in unheard)
        outcome = Outcome.NEEDS_FACTS if missing else Outcome.UNDETERMINED
        return Verdict(outcome, reasons, missing, tuple(dict.fromkeys(unheard.values())))


def _judge(node: Node, known: Known) -> tuple[Truth, tuple[Clause, ...]]:
    """Return a node's truth and exactly the clauses that make it so, or that hold it open."""
    if isinstance(node, Clause):
        return node.truth(known), (node,)
    judged = [_judge(part, known) for part in node.parts]
    # The truth of one part that decides at once: a false part of `all`, a true one of the others.
    decisive = node.word != "all"
    truths = [truth for truth, _ in judged]
    truth: Truth = decisive if decisive in truths else None if None in truths else not decisive
    clauses = tuple(clause for one, deciding in judged if one is truth for clause in deciding)
    return (None if truth is None else not truth) if node.word == "none" else truth, clauses


def _rank(fact: Fact, value: object) -> Value:
    """Return what ordering compares: the place among ordered choices, else the value itself."""
    if fact.ordered and isinstance(value, str):
        return fact.choices.index(value)
    if isinstance(value, bool | int | str):
        return value
    raise TypeError(f"{type(value).__name__} is no value of a fact")


def parse(
    document: source.Document, at: source.Location, facts: Mapping[str, Fact]
) -> tuple[Rule | None, list[errors.Mistake]]:
    """Return the rule at a path of a document, or None and every mistake in it.

    ``everyone`` is the rule without conditions.
    """
    found = _at(document.data, at)
    if found == "everyone":
        return Rule(None), []
    reading = _Reading(document, facts)
    root = reading.node(found, list(at))
    return None if reading.mistakes else Rule(root, reading.clauses), reading.mistakes


class _Reading:
    """One reading of one rule: collects clauses by id, and mistakes instead of stopping."""

    def __init__(self, document: source.Document, facts: Mapping[str, Fact]) -> None:
        self.document = document
        self.facts = facts
        self.clauses: dict[str, Clause] = {}
        self.ids: set[str] = set()
        self.mistakes: list[errors.Mistake] = []

    def wrong(self, at: list[str | int], sentence: str, hint: str = "") -> None:
        self.mistakes.append(self.document.mistake(at, sentence, hint))

    def node(self, found: object, at: list[str | int]) -> Node | None:
        if not isinstance(found, dict):
            self.wrong(at, "A rule is `everyone`, a group (all, any, none) or a clause.")
            return None
        groups = [word for word in _GROUPS if word in found]
        if groups and len(found) == 1:
            return self.group(groups[0], found[groups[0]], [*at, groups[0]])
        if groups:
            self.wrong(at, f"A group stands alone: `{groups[0]}` has other keys beside it.")
            return None
        return self.clause(found, at)

    def group(self, word: str, found: object, at: list[str | int]) -> Group | None:
        if not isinstance(found, list) or not found:
            self.wrong(at, f"`{word}` needs a list with at least one part.")
            return None
        parts = [self.node(part, [*at, place]) for place, part in enumerate(found)]
        return Group(word, tuple(part for part in parts if part is not None))

    def clause(self, found: dict[str, object], at: list[str | int]) -> Clause | None:
        before = len(self.mistakes)
        words = [word for word in OPERATORS if word in found]
        for key in found:
            if key not in _CLAUSE_KEYS and key not in OPERATORS:
                known = (*_CLAUSE_KEYS, *OPERATORS, *_GROUPS)
                hint = errors.did_you_mean(errors.nearest(str(key), known))
                self.wrong([*at, str(key)], f"There is no key “{errors.shown(str(key))}”.", hint)
        if len(words) != 1:
            self.wrong(at, f"A clause has exactly one of: {', '.join(OPERATORS)}.")
        clause_id = self.clause_id(found.get("id"), at)
        fact = self.fact(found.get("fact"), at)
        sentence = self.sentence(found.get("text"), at)
        reference = found.get("reference")
        if not isinstance(reference, str) or not reference.strip():
            self.wrong([*at, "reference"], "A clause names the source it rests on.")
        if fact and len(words) == 1:
            self.operand(fact, words[0], found[words[0]], [*at, words[0]])
        if len(self.mistakes) > before or fact is None or sentence is None:
            return None
        operand = found[words[0]]
        clause = Clause(
            id=clause_id,
            fact=fact,
            operator=words[0],
            operand=tuple(operand) if isinstance(operand, list) else operand,  # type: ignore[arg-type]  # checked by operand()
            text=sentence,
            reference=str(reference),
        )
        self.clauses[clause_id] = clause
        return clause

    def clause_id(self, found: object, at: list[str | int]) -> str:
        if not isinstance(found, str) or not _ID.fullmatch(found):
            self.wrong([*at, "id"], "A clause has an id of lower-case letters, digits and “-”.")
        elif found in self.ids:
            self.wrong([*at, "id"], f"Two clauses of this rule are called “{found}”.")
        self.ids.add(str(found))
        return str(found)

    def fact(self, found: object, at: list[str | int]) -> Fact | None:
        if isinstance(found, str) and found in self.facts:
            return self.facts[found]
        hint = errors.did_you_mean(errors.nearest(str(found), self.facts))
        self.wrong([*at, "fact"], f"There is no fact “{errors.shown(str(found))}”.", hint)
        return None

    def sentence(self, found: object, at: list[str | int]) -> text.Text | None:
        try:
            sentence = text.Text.model_validate(found)
        except pydantic.ValidationError:
            self.wrong([*at, "text"], "A clause says what it asks, under `en` and `zh`.")
            return None
        if lacks := sentence.lacks():
            self.wrong([*at, "text"], f"This sentence is missing in: {', '.join(lacks)}.")
        return sentence

    def operand(self, fact: Fact, word: str, found: object, at: list[str | int]) -> None:
        if word in _ORDERING and not (fact.kind is Kind.NUMBER or fact.ordered):
            self.wrong(at, f"`{fact.name}` has no order, so `{word}` cannot be asked of it.")
        if word in _AMONG and (not isinstance(found, list) or not found):
            self.wrong(at, f"`{word}` needs a list with at least one value.")
            return
        values = found if isinstance(found, list) and word in _AMONG else [found]
        for value in values:
            if not fact.admits(value):
                allowed = ", ".join(fact.choices) or fact.kind.value.lower().replace("_", "/")
                hint = errors.did_you_mean(errors.nearest(str(value), fact.choices))
                self.wrong(
                    at,
                    f"“{errors.shown(str(value))}” is no value of `{fact.name}` ({allowed}).",
                    hint,
                )


def _at(data: object, at: source.Location) -> object:
    for step in at:
        data = data[step]  # type: ignore[index]  # the caller names a path that stands in the file
    return data
