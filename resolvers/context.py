"""What one query has at hand: who asks, in which languages, when, and whom it may ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from connectors import fault
from connectors.partner import Freshness
from connectors.registry import Registry
from credentials.pseudonym import Pseudonyms
from credentials.receipt import Notary
from models import errors, talent
from models.database import Database
from models.verification import Category
from resolvers.authority import Authority
from resolvers.desk import Desk
from resolvers.loaders import Loaders
from resolvers.menu import Catalogue
from resolvers.plan import Mode, Plan
from resolvers.reads import Reads
from resolvers.standing import Keeper
from resolvers.viewer import HOLDERS, Role, Viewer

T = TypeVar("T")

#: The zone of the district: its days begin and end here, whatever the host's zone.
ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong beside data that is there all the same; told in the answer's errors."""

    path: Sequence[str | int]
    code: str
    message: str
    extensions: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Note:
    """That something of a person left while a query was read: whose, what, to whom, for what."""

    subject: str
    category: Category
    partner: str
    partner_name: str
    purpose: str


@dataclass(slots=True)
class Context:
    """One query's surroundings; made for it, gone with it."""

    viewer: Viewer
    languages: tuple[str, ...]
    now: datetime
    database: Database
    registry: Registry
    catalogue: Catalogue
    notary: Notary
    authority: Authority
    reads: Reads
    loaders: Loaders
    desk: Desk
    keeper: Keeper
    #: What is asked of partners, where whoever asks wants to know.
    plan: Plan | None = None
    #: The person asking, once read; None where a role without a person asks.
    person: talent.Talent | None = None
    problems: list[Problem] = field(default_factory=list)
    #: What left, each with the fields of a record that were shown; ``access.kept`` writes it down.
    notes: dict[Note, set[str]] = field(default_factory=dict)
    _made: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(  # noqa: PLR0913 - all are given by name
        cls,
        *,
        viewer: Viewer,
        languages: tuple[str, ...],
        now: datetime,
        database: Database,
        registry: Registry,
        catalogue: Catalogue,
        notary: Notary,
        authority: Authority,
        deadline: float,
        keeper: Keeper | None = None,
        faults: str = "",
        plan: Mode | None = None,
    ) -> Context:
        """Return a query's context; ``deadline`` is the running loop's time when it must end.

        Without a ``keeper`` of the process it has one of its own. ``faults`` says which partners
        fail in this query, as ``fault.read``; only those of the sandbox are heard. ``plan`` is how
        a plan of the query is told, if it is.

        Raises:
            BadInputError: there are no such faults.
        """
        heard = faults and viewer.sandbox
        stand_ins = fault.applied(faults, registry.partners) if heard else {}
        planned = Plan(plan, registry.partners) if plan else None
        reads = Reads()
        return cls(
            viewer=viewer,
            languages=languages,
            now=now,
            database=database,
            registry=registry,
            catalogue=catalogue,
            notary=notary,
            authority=authority,
            reads=reads,
            loaders=Loaders.over(database, reads),
            desk=Desk(registry, reads, deadline, stand_ins, planned),
            plan=planned,
            keeper=keeper or Keeper(database),
        )

    def holder(self) -> talent.Talent:
        """Return the person who asks.

        Raises:
            UnauthenticatedError, ForbiddenError: it is no person we know.
        """
        self.viewer.require(HOLDERS)
        if self.person is None:
            raise errors.ForbiddenError([f"{Role.HOLDER} in the talent database"])
        return self.person

    @property
    def pseudonyms(self) -> Pseudonyms:
        """Who names people for partners."""
        return self.authority.pseudonyms

    @property
    def today(self) -> date:
        """The day in Shanghai."""
        return self.now.astimezone(ZONE).date()

    def moment(self, seconds: float | None) -> datetime | None:
        """Return the moment so many seconds from now."""
        return None if seconds is None else self.now + timedelta(seconds=seconds)

    def tell(
        self,
        path: Sequence[str | int],
        code: str,
        message: str,
        *,
        partner: str,
        freshness: Freshness,
        retry_after: datetime | None,
    ) -> None:
        """Tell of a partner's failure: once a query and partner, at the place where it is met."""
        if any(problem.extensions.get("partner") == partner for problem in self.problems):
            return
        more: dict[str, object] = {"partner": partner, "freshness": freshness}
        if retry_after:
            more["retryAfter"] = retry_after.isoformat()
        self.problems.append(Problem(path, code, message, more))

    def note(self, note: Note, fields: Iterable[str] = ()) -> None:
        """Note what leaves, once however often it does; of a plan alone nothing leaves."""
        if self.plan is None or not self.plan.is_dry:
            self.notes.setdefault(note, set()).update(fields)

    def once(self, key: str, make: Callable[[], T]) -> T:
        """Return what this query made under a key, making it the first time."""
        if key not in self._made:
            self._made[key] = make()
        made: T = self._made[key]
        return made
