"""The contract a kind of partner fulfils: inquiries in, offers out, one upstream call for all.

A kind may also supply facts about a person, and take bookings for one: whom it knows by a
pseudonym alone.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict

from connectors import errors, http
from models.offer import Capability, Offer


class Options(BaseModel):
    """What a partner file of this kind may say under ``options``; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Inquiry(NamedTuple):
    """One thing asked of a partner; never about a person, so equal inquiries share an answer.

    ``topic`` is the partner's own word for what the service asks (a FHIR service type, a school
    grade, a screen), as the service's menu entry gives it. ``since`` and ``until`` are aware and
    bound the offers' time, ``until`` excluded. It is a tuple, as it is looked up again and again.
    """

    capability: Capability
    topic: str
    since: datetime
    until: datetime


class Act(StrEnum):
    """What can be done about a booking."""

    RESERVE = "reserve"
    CONFIRM = "confirm"
    CANCEL = "cancel"
    FIND = "find"


class Step(StrEnum):
    """How far a booking has come at the partner."""

    HELD = "held"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be booked: ``units`` of an offer of this partner, for one person.

    ``key`` is the hub's own for this booking: 22 letters and digits, the same however often the
    booking is tried; it goes along wherever the protocol has a place for it. ``subject`` is what
    the person is called before this partner.
    """

    key: str
    subject: str
    capability: Capability
    topic: str
    offer: str
    units: int = 1


@dataclass(frozen=True, slots=True)
class Booked:
    """What the partner says of a booking.

    ``reference`` is its own name for it. A hold that is not confirmed by ``expires_at`` is gone.
    ``handle`` is what later steps need (an id, a version), kept for them as it is.
    """

    step: Step
    reference: str
    expires_at: datetime | None = None
    handle: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Example:
    """The proof a partner file or a kind carries: this request, this reply, these offers or facts.

    ``replies`` are played in order by a loopback partner; ``offers`` lists, per inquiry, the
    fields that must be found on each offer, as text. ``wanted`` are facts asked for about a
    ``subject``; ``facts`` are those, and their values, that must come. An ``order`` goes through
    ``steps`` one after another, each with what the one before gave; ``booked`` are the fields of
    what the last one gives, as text.
    """

    name: str
    replies: tuple[Reply, ...]
    inquiries: tuple[Inquiry, ...] = ()
    offers: tuple[tuple[Mapping[str, str], ...], ...] = ()
    subject: str = ""
    wanted: frozenset[str] = frozenset()
    facts: Mapping[str, object] = field(default_factory=dict)
    order: Order | None = None
    steps: tuple[Act, ...] = ()
    booked: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What the loopback partner answers, and what it demands of the request.

    ``path`` is relative to the partner's address, for which ``{address}`` stands in the body and
    the headers; ``query`` names the keys that must be there, and ``sends`` what the request's body
    must hold (JSON, or the fields of a form); further ones may be.
    """

    path: str
    body: str
    method: str = "GET"
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    sends: Mapping[str, Any] = field(default_factory=dict)


O = TypeVar("O", bound=Options)  # noqa: E741 - options


class Connector(abc.ABC, Generic[O]):
    """One kind of partner. A subclass names its ``slug`` (its file's name) or is abstract.

    One instance serves one partner file for the life of that file's version; it keeps no state
    but what ``__init__`` was given. ``clock`` is an argument of what needs it, never read.
    """

    slug: ClassVar[str]
    label: ClassVar[Mapping[str, str]]
    capabilities: ClassVar[frozenset[Capability]]
    options_model: ClassVar[type[Options]]
    #: The names of the facts it can supply; see ``facts``.
    supplies: ClassVar[frozenset[str]] = frozenset()
    #: What it can book; see ``reserve``.
    books: ClassVar[frozenset[Capability]] = frozenset()
    EXAMPLES: ClassVar[tuple[Example, ...]] = ()
    EXAMPLE_OPTIONS: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, options: O, partner: http.PartnerClient) -> None:
        self.options = options
        self.partner = partner

    @classmethod
    def capabilities_of(cls, options: O) -> frozenset[Capability]:  # noqa: ARG003 - for kinds whose files choose
        """Return what a partner with these options can be asked for."""
        return cls.capabilities

    @classmethod
    def supplies_of(cls, options: O) -> frozenset[str]:  # noqa: ARG003 - for kinds whose files choose
        """Return the facts that a partner with these options can supply."""
        return cls.supplies

    @classmethod
    def books_of(cls, options: O) -> frozenset[Capability]:  # noqa: ARG003 - for kinds whose files choose
        """Return what a partner with these options can book."""
        return cls.books

    @abc.abstractmethod
    async def answer(
        self, inquiries: Sequence[Inquiry]
    ) -> Sequence[Sequence[Offer] | errors.PartnerError]:
        """Return the offers for each inquiry, or why it alone has none, in the inquiries' order.

        One upstream call serves all inquiries where the protocol can batch (a further call only
        follows a page). Offers come sorted by time, then id.

        Raises:
            PartnerError: the partner failed as a whole. An odd record is skipped only where the
                protocol says so; else it is a bad answer.
        """

    async def facts(self, subject: str, names: frozenset[str]) -> Mapping[str, object]:
        """Return what the partner knows of a person, by fact and as JSON has it.

        A name is left out where the partner does not know the person, or not that of them. One
        upstream call serves all names where the protocol can do so.

        Args:
            subject: What the person is called before this partner; nothing else is told of them.
            names: The facts that are wanted, some of ``supplies``.

        Raises:
            PartnerError: the partner failed.
        """
        raise NotImplementedError

    async def reserve(self, order: Order) -> Booked:
        """Take what is ordered; held where the protocol knows holds, else confirmed at once.

        Sent once, never blindly again: where the outcome is not known, the error says
        ``may_have_acted`` and ``find`` is asked.

        Raises:
            Refused: CONFLICT, it is taken already; or refused otherwise.
            PartnerError: the partner failed.
        """
        raise NotImplementedError

    async def confirm(self, order: Order, booked: Booked) -> Booked:
        """Turn a hold into a booking; what is confirmed already stays so.

        Raises:
            PartnerError: as ``reserve``.
        """
        raise NotImplementedError

    async def cancel(self, order: Order, booked: Booked) -> Booked:
        """Give back what was held or booked; what is cancelled already stays so.

        Raises:
            PartnerError: as ``reserve``.
        """
        raise NotImplementedError

    async def find(self, order: Order) -> Booked | None:
        """Return what the partner has under this order's key, or None where it has nothing.

        Raises:
            PartnerError: the partner failed.
            NotImplementedError: the protocol cannot be asked so; a person must.
        """
        raise NotImplementedError
