"""What one query has at hand: who asks, in which languages, when, and whom it may ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from connectors import fault
from connectors.partner import Freshness
from connectors.registry import Registry
from credentials.pseudonym import Pseudonyms
from credentials.receipt import Notary
from eligibility.single import Judge
from eligibility.turning import HORIZON
from models import errors, talent
from models.database import Database
from models.once import Once, made_once
from models.verification import Category
from resolvers import limit
from resolvers.authority import Authority
from resolvers.desk import Desk
from resolvers.holding import Holding
from resolvers.limit import Points
from resolvers.loaders import Loaders
from resolvers.menu import Catalogue
from resolvers.plan import Mode, Plan
from resolvers.reads import Reads
from resolvers.standing import Keeper
from resolvers.together import Shared
from resolvers.viewer import HOLDERS, Role, Viewer

#: The zone of the district: its days begin and end here, whatever the host's zone.
ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong beside data that is there all the same; told in the answer's errors."""

    path: Sequence[str | int]
    code: str
    message: str
    extensions: Mapping[str, object] = field(default_factory=dict)


class Note(NamedTuple):
    """That something of a person left while a query was read: whose, what, to whom, for what."""

    subject: str
    category: Category
    partner: str
    partner_name: str
    purpose: str


@dataclass
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
    keeper: Keeper
    #: What it asks together with the other queries of the process.
    shared: Shared
    #: When the query must end, in the running loop's time.
    deadline: float
    #: What whoever asks is charged as, and with what.
    caller: str = ""
    points: Points | None = None
    #: Partners that others stand in for, in this query alone.
    stand_ins: Mapping[str, fault.Asked] = field(default_factory=dict)
    #: What is asked of partners, where whoever asks wants to know.
    plan: Plan | None = None
    #: The person asking, once read; None where a role without a person asks.
    person: talent.Talent | None = None
    problems: list[Problem] = field(default_factory=list)
    #: What left, each with the fields of a record that were shown; ``access.kept`` writes it down.
    notes: dict[Note, set[str]] = field(default_factory=dict)
    #: What this query made.
    once: Once = field(default_factory=Once)

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
        shared: Shared | None = None,
        faults: str = "",
        plan: Mode | None = None,
        points: Points | None = None,
        address: str = "",
    ) -> Context:
        """Return a query's context; ``deadline`` is the running loop's time when it must end.

        Without a ``keeper`` and what is ``shared`` of the process it has its own. ``faults`` says
        which partners fail in this query, as ``fault.read``; only those of the sandbox are heard.
        ``plan`` is how a plan of the query is told, if it is.

        Raises:
            BadInputError: there are no such faults.
        """
        heard = faults and viewer.sandbox
        stand_ins = fault.applied(faults, registry.partners) if heard else {}
        planned = Plan(plan, registry.partners) if plan else None
        return cls(
            viewer=viewer,
            languages=languages,
            now=now,
            database=database,
            registry=registry,
            catalogue=catalogue,
            notary=notary,
            authority=authority,
            keeper=keeper or Keeper(database),
            shared=shared or Shared(database),
            deadline=deadline,
            caller=limit.caller(viewer.role, viewer.subject, address),
            points=points,
            stand_ins=stand_ins,
            plan=planned,
        )

    # Most queries need none of these.

    @made_once
    def reads(self) -> Reads:
        """What this query reads."""
        return Reads()

    @made_once
    def loaders(self) -> Loaders:
        """What it asks the database, in batches."""
        return Loaders(self.database, self.reads)

    @made_once
    def desk(self) -> Desk:
        """Where partners are asked."""
        return Desk(self.registry, self.reads, self.deadline, self.stand_ins, self.plan)

    @made_once
    def holding(self) -> Holding:
        """How long holds what partners said for it."""
        return Holding()

    @made_once
    def today(self) -> date:
        """The day in Shanghai."""
        return self.now.astimezone(ZONE).date()

    @made_once
    def rules(self) -> Mapping[str, Judge]:
        """The rules of today by the code of their service."""
        return self.catalogue.rulebook.day(self.today)

    def day(self, asked: date | None) -> date:
        """Return the day that something is asked for: today, where none is named.

        Raises:
            BadInputError: it is further away than anything is looked into.
        """
        today = self.today
        if asked is None or asked == today:
            return today
        earliest, latest = HORIZON.first_start(today), HORIZON.last_day(today)
        if not earliest <= asked <= latest:
            raise errors.BadInputError(f"`asOf` is {asked}; it may be {earliest} to {latest}.")
        return asked

    @property
    def is_nobodys(self) -> bool:
        """Whether whoever asks shows nobody."""
        return self.viewer.role is Role.ANONYMOUS

    def charge(self, points: int) -> None:
        """Charge whoever asks.

        Raises:
            RateLimitedError: they have not so many points left.
        """
        if self.points is not None and (wait := self.points.charge(self.caller, points)):
            raise errors.RateLimitedError(wait, points, self.points.left(self.caller))

    @property
    def points_left(self) -> int | None:
        """How many points whoever asks has left; None where nobody is charged."""
        counted = self.points is not None and self.points.are_counted
        return self.points.left(self.caller) if counted and self.points else None

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
