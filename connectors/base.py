"""The contract a kind of partner fulfils: inquiries in, offers out, one upstream call for all.

A kind may also supply facts about a person, whom it knows by a pseudonym alone.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from connectors import http
from models.offer import Capability, Offer


class Options(BaseModel):
    """What a partner file of this kind may say under ``options``; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One thing asked of a partner; never about a person, so equal inquiries share an answer.

    ``topic`` is the partner's own word for what the service asks (a FHIR service type, a school
    grade, a screen), as the service's menu entry gives it. ``since`` and ``until`` are aware and
    bound the offers' time, ``until`` excluded.
    """

    capability: Capability
    topic: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Example:
    """The proof a partner file or a kind carries: this request, this reply, these offers or facts.

    ``replies`` are played in order by a loopback partner; ``offers`` lists, per inquiry, the
    fields that must be found on each offer, as text. ``wanted`` are facts asked for about a
    ``subject``; ``facts`` are those, and their values, that must come.
    """

    name: str
    replies: tuple[Reply, ...]
    inquiries: tuple[Inquiry, ...] = ()
    offers: tuple[tuple[Mapping[str, str], ...], ...] = ()
    subject: str = ""
    wanted: frozenset[str] = frozenset()
    facts: Mapping[str, object] = field(default_factory=dict)
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What the loopback partner answers, and what it demands of the request.

    ``path`` is relative to the partner's address, for which ``{address}`` stands in the body and
    the headers; ``query`` names the keys that must be there, further ones may be.
    """

    path: str
    body: str
    method: str = "GET"
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str | Sequence[str]] = field(default_factory=dict)


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
    EXAMPLES: ClassVar[tuple[Example, ...]] = ()
    EXAMPLE_OPTIONS: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, options: O, partner: http.PartnerClient) -> None:
        self.options = options
        self.partner = partner

    @abc.abstractmethod
    async def answer(self, inquiries: Sequence[Inquiry]) -> Sequence[Sequence[Offer]]:
        """Return the offers for each inquiry, in the inquiries' order.

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
