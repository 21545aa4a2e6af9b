"""What a change of rules does to people: who gains, who loses, of whom it is no longer known.

It is told by class, industry and district, in parts large enough that nobody in them stands out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import date
from typing import Any

from eligibility import sql
from eligibility.fact import Fact
from eligibility.rule import NOT_IN_FORCE
from eligibility.rulebook import Rulebook
from eligibility.tree import Tree
from models import errors, impact, source
from models.impact import Move
from models.standing import Counts
from resolvers.context import Context
from resolvers.menu import Catalogue
from resolvers.viewer import OFFICERS

#: Fewer people than this are never told by themselves.
FEWEST = 10
#: What the group of those is called of whom nothing is recorded.
NOBODY = "none"
#: The ways that people go; see ``Tally``.
WAYS = ("gains", "loses", "ruled_out", "becomes_unknown", "stays")
_SAID = {"ruled_out": "ruledOut", "becomes_unknown": "becomesUnknown"}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many people go which way; each person goes one of them.

    ``gains``: may now have it. ``loses``: could have it, and may not. ``ruled_out``: it was not
    known, and they may not. ``becomes_unknown``: it was known, and depends on missing facts now.
    """

    gains: int = 0
    loses: int = 0
    ruled_out: int = 0
    becomes_unknown: int = 0
    stays: int = 0

    @classmethod
    def of(cls, moves: Iterable[Move]) -> Tally:
        """Return the tally of some moves."""
        counted: Counter[str] = Counter()
        for move in moves:
            counted[_way(move.before, move.after)] += move.people
        return cls(**counted)

    @property
    def people(self) -> int:
        """How many people there are in all."""
        return sum(astuple(self))

    @property
    def tells(self) -> bool:
        """Whether so few go one of the ways that it would tell of them."""
        return any(0 < people < FEWEST for people in astuple(self))

    @classmethod
    def sum(cls, tallies: Iterable[Tally]) -> Tally:
        """Return some tallies together."""
        return cls(*map(sum, zip(*map(astuple, tallies), strict=True)))

    def without(self, ways: Iterable[str]) -> Tally:
        """Return the tally with those who go these ways among those who stay."""
        gone = {way: getattr(self, way) for way in ways}
        return replace(self, **dict.fromkeys(gone, 0), stays=self.stays + sum(gone.values()))


@dataclass(frozen=True, slots=True)
class Part:
    """Some groups told together; None is the group of those of whom nothing is recorded.

    ``untold`` are the ways that are not told by parts; those who go one of them stand with who
    stays, who is then not told either.
    """

    groups: tuple[str | None, ...]
    tally: Tally
    untold: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """What its groups are called."""
        return [name or NOBODY for name in self.groups]

    @property
    def told(self) -> dict[str, int | None]:
        """How many go which way, by ``WAYS``; None where it is not told."""
        return {way: None if way in self.untold else getattr(self.tally, way) for way in WAYS}

    def plain(self) -> dict[str, Any]:
        """Return it as JSON says it, in the words of the graph."""
        told = {_SAID.get(way, way): people for way, people in self.told.items()}
        return {
            **({"groups": self.names} if self.groups else {}),
            "people": self.tally.people,
            **told,
        }


@dataclass(frozen=True, slots=True)
class Impact:
    """What becomes of one service's people.

    ``asks`` are facts that are asked for anew, ``drops`` those that no longer are.
    """

    service: str
    tally: Tally
    before: Counts
    after: Counts
    by_class: tuple[Part, ...]
    by_industry: tuple[Part, ...]
    by_district: tuple[Part, ...]
    asks: tuple[Fact, ...]
    drops: tuple[Fact, ...]

    @classmethod
    def of(cls, service: str, before: Tree, after: Tree, moves: Sequence[Move]) -> Impact:
        """Return the impact of putting one tree in the place of another, from all the moves."""
        return cls(
            service=service,
            tally=Tally.of(moves),
            before=_counts(moves, lambda move: move.before),
            after=_counts(moves, lambda move: move.after),
            by_class=_parts(moves, lambda move: move.of_class),
            by_industry=_parts(moves, lambda move: move.of_industry),
            by_district=_parts(moves, lambda move: move.of_district),
            asks=tuple(fact for name, fact in after.facts.items() if name not in before.facts),
            drops=tuple(fact for name, fact in before.facts.items() if name not in after.facts),
        )

    def plain(self) -> dict[str, Any]:
        """Return all of it as JSON says it, in the words of the graph."""
        return {
            "service": self.service,
            "before": _plain_counts(self.before),
            "after": _plain_counts(self.after),
            "tally": Part((), self.tally).plain(),
            "byClass": [part.plain() for part in self.by_class],
            "byIndustry": [part.plain() for part in self.by_industry],
            "byDistrict": [part.plain() for part in self.by_district],
            "asks": [fact.name for fact in self.asks],
            "drops": [fact.name for fact in self.drops],
        }


def _plain_counts(counts: Counts) -> dict[str, int]:
    return {
        "eligible": counts.true,
        "ineligible": counts.false,
        "needsFacts": counts.unknown,
    }


def _way(before: bool | None, after: bool | None) -> str:  # noqa: FBT001 - truths
    if before is after:
        return "stays"
    if after is None:
        return "becomes_unknown"
    if after:
        return "gains"
    return "loses" if before else "ruled_out"


def _counts(moves: Iterable[Move], told: Callable[[Move], bool | None]) -> Counts:
    counted: Counter[bool | None] = Counter()
    for move in moves:
        counted[told(move)] += move.people
    return Counts(counted[True], counted[False], counted[None])


def _parts(moves: Iterable[Move], group: Callable[[Move], str | None]) -> tuple[Part, ...]:
    grouped: dict[str | None, list[Move]] = {}
    for move in moves:
        grouped.setdefault(group(move), []).append(move)
    return parts({name: Tally.of(some) for name, some in grouped.items()})


def parts(tallies: Mapping[str | None, Tally]) -> tuple[Part, ...]:
    """Return groups so told, some together, that no part goes any way by fewer than ``FEWEST``.

    A way that fewer go in all is not told by parts, nor is who stays, from whom it would follow.
    What is told are sums of whole parts, so no subtraction, of whatever else is told, comes to
    less than a part. Where all are too few together, they are one part, which tells no more than
    the whole does.
    """
    whole = Tally.sum(tallies.values())
    rare = [way for way in WAYS[:-1] if 0 < getattr(whole, way) < FEWEST]
    untold = (*rare, "stays") if rare else ()
    folded = {name: tally.without(rare) for name, tally in tallies.items()}
    ordered = sorted(folded, key=lambda name: (folded[name].people, name or ""))
    together = [name for name in ordered if folded[name].tells]
    alone = [name for name in ordered if not folded[name].tells]
    while alone and Tally.sum(folded[name] for name in together).tells:
        together.append(alone.pop(0))
    found = [Part((name,), folded[name], untold) for name in reversed(alone)]
    if together:
        found.append(Part(tuple(together), Tally.sum(folded[name] for name in together), untold))
    return tuple(found)


# --- One rule, or the whole menu ----------------------------------------------------------------


def changed(before: Rulebook, after: Rulebook, on: date) -> dict[str, tuple[Tree, Tree]]:
    """Return the trees of a day, before and after, of each service whose rule is not as it was.

    A service that is not there is for nobody.
    """
    codes = dict.fromkeys((*after.rules, *before.rules))
    pairs = {code: (_tree(before, code, on), _tree(after, code, on)) for code in codes}
    return {code: pair for code, pair in pairs.items() if pair[0].root != pair[1].root}


def _tree(rules: Rulebook, code: str, on: date) -> Tree:
    return rules.judge(code, on).tree if code in rules.rules else Tree(on, NOT_IN_FORCE)


def proposed(catalogue: Catalogue, code: str, text: str) -> Rulebook:
    """Return the rules of the menu in force with another one for a service.

    ``text`` is the ``eligibility:`` of the service's file, as it would stand there.

    Raises:
        UnknownCodeError: there is no such service; it names the nearest.
        MistakesError: every mistake in the text.
    """
    catalogue.service(code)
    document = source.parse(text, f"{code}.yaml")
    found = document.data if isinstance(document.data, dict) else {}
    mistakes = [
        document.mistake([key], f"There is no key “{errors.shown(str(key))}”.", _ALONE)
        for key in found
        if key != "eligibility"
    ]
    if "eligibility" not in found:
        mistakes.append(document.mistake([], "This is no rule.", _ALONE))
    if mistakes:
        raise errors.MistakesError(mistakes)
    return Rulebook.of(catalogue.lists, {code: document})


_ALONE = "Write `eligibility:` and the rule under it, as in the service's file, and nothing else."


async def of_rule(context: Context, code: str, text: str) -> list[Impact]:
    """Return what another rule for a service does today, to it and to those that require it.

    Raises:
        UnauthenticatedError: nobody in particular is asking.
        ForbiddenError: the viewer is no officer.
        UnknownCodeError: there is no such service; it names the nearest.
        MistakesError: every mistake in the text.
        StandingMissingError: everybody's facts of today are not gathered yet.
        RuleTooLargeError: the rule is too large for the database.
    """
    context.viewer.require(OFFICERS)
    rules, today = context.catalogue.rulebook, context.today
    after = proposed(context.catalogue, code, text)
    asked = {code: (_tree(rules, code, today), _tree(after, code, today))}
    over = await context.keeper.of(today)
    found = []
    async with context.reads.one(), context.database.session() as session:
        for service, (was, is_) in (asked | changed(rules, after, today)).items():
            moves = await impact.moves(session, over, sql.truth(was, over), sql.truth(is_, over))
            found.append(Impact.of(service, was, is_, moves))
    return found
