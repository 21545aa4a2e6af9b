"""A partner whose file says all: what to call, how answers go on, and what is made of them."""

from __future__ import annotations

import asyncio
import itertools
import operator
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, ClassVar, TypeVar
from zoneinfo import ZoneInfo

import pydantic
import pydantic_core

from connectors import (
    base,
    call,
    decode,
    errors,
    expression,
    http,
    mapping,
    paging,
    reading,
    template,
)
from eligibility import rulebook
from models import offer

#: So many times that a partner was asked last, the calls are not worked out again.
_MOST_KNOWN = 8
#: After so many rows everybody else has a turn.
_TURN_ROWS = 100

_ASKED: template.Names = {"topic": str, "since": datetime, "until": datetime}
_BATCHED: template.Names = {"batch": list, "since": datetime, "until": datetime}
_ABOUT: template.Names = {"subject": str}
_ORDERED: template.Names = {"key": str, "subject": str, "topic": str, "offer": str, "units": int}


F = TypeVar("F", bound=pydantic.BaseModel)


def _filled_with(names: template.Names) -> pydantic.AfterValidator:
    """Return what refuses placeholders other than these in a part of the options."""

    def checked(form: F) -> F:
        template.check(form, names)
        return form

    return pydantic.AfterValidator(checked)


# Fields of these names hide the modules.
_Call = call.Call
_Rules = tuple[call.Rule, ...]
_Absent = Annotated[errors.Problem, pydantic.AfterValidator(call.meant)]


class Batch(base.Options):
    """How several inquiries share one call."""

    size: int = pydantic.Field(default=50, ge=1, le=1000, description="The most in one call.")
    each: template.Data = pydantic.Field(
        default="{topic}", validate_default=True, description="What stands for one inquiry."
    )
    join: str | None = pydantic.Field(
        default=None, description="What joins them in `{batch}`; without it that is a list."
    )
    key: expression.Written = pydantic.Field(
        description="The topic, as the partner calls it, that a row of the first level is for."
    )
    absent: _Absent | None = pydantic.Field(
        default=None, description="The problem of an inquiry without rows; it is none, if not said."
    )
    errors: _Rules = pydantic.Field(
        default=(), description="What a row means that is a problem of its inquiry alone."
    )


class Offering(mapping.Records):
    """How offers of one shape are asked for and read."""

    topics: Mapping[str, str] = pydantic.Field(
        default={}, description="The partner's own word by topic, where the two differ."
    )
    batch: Annotated[Batch, _filled_with(_ASKED)] | None = pydantic.Field(
        default=None, description="How several inquiries share a call."
    )
    call: _Call = pydantic.Field(description="What is called.")
    pages: paging.Pages | None = pydantic.Field(
        default=None, description="How the answer goes on over several pages."
    )

    @pydantic.field_validator("call")
    @classmethod
    def _named(cls, given: _Call, known: pydantic.ValidationInfo) -> _Call:
        # Where the batch is wrong itself, nobody knows what there is to fill in.
        if "batch" in known.data:
            template.check(given, _BATCHED if known.data["batch"] else _ASKED)
        return given


class Fact(base.Options):
    """How a fact about a person is asked for."""

    call: Annotated[_Call, _filled_with(_ABOUT)] = pydantic.Field(description="What is called.")
    value: expression.Written = pydantic.Field(
        description="The fact; where nothing is found, the partner does not know."
    )


class Read(base.Options):
    """What is read before an act, for a version or a quote that the act must name."""

    call: _Call = pydantic.Field(description="What is called.")
    values: Mapping[str, expression.Written] = pydantic.Field(
        description="What is kept of the answer, as `{read.name}`; each must be there."
    )


class Step(base.Options):
    """One act about a booking, and what its answer says."""

    read: Read | None = pydantic.Field(default=None, description="What is read before.")
    call: _Call = pydantic.Field(description="What is called.")
    booking: expression.Written | None = pydantic.Field(
        default=None, description="Where in the answer the booking is; all of it, if not said."
    )
    step: mapping.Sought | None = pydantic.Field(
        default=None, description="How far it is: `held`, `confirmed` or `cancelled`."
    )
    reference: mapping.Sought | None = pydantic.Field(
        default=None, description="The partner's own name for it."
    )
    expires_at: mapping.Sought | None = pydantic.Field(
        default=None, description="When a hold is gone."
    )
    handle: Mapping[str, expression.Written] = pydantic.Field(
        default={}, description="What later steps need, as `{handle.name}`."
    )


class Acting(Step):
    """An act that another one undoes."""

    undo: str = pydantic.Field(description="Which step under `undo` undoes it.")


class Booking(base.Options):
    """How offers of one shape are booked."""

    reserve: Acting = pydantic.Field(
        description="Takes it: held where there is a `confirm`, else confirmed at once."
    )
    confirm: Acting | None = pydantic.Field(default=None, description="Turns a hold into it.")
    undo: Mapping[str, Step] = pydantic.Field(description="The steps that undo, by name.")
    find: Step | None = pydantic.Field(
        default=None, description="Looks it up by the hub's key, where nobody knows."
    )

    @pydantic.model_validator(mode="after")
    def _whole(self) -> Booking:
        if wrong := _misbooked(self):
            raise pydantic_core.ValidationError.from_exception_data("booking", wrong)
        return self

    @property
    def handles(self) -> frozenset[str]:
        """The names of what steps keep for later ones."""
        steps = (self.reserve, self.confirm, self.find)
        return frozenset(name for step in steps if step for name in step.handle)


class Options(base.Options):
    """What the file of a declared partner says beside its address."""

    zone: ZoneInfo = pydantic.Field(
        default=ZoneInfo("Asia/Shanghai"),
        description="The time zone of days, and of times that come without an offset.",
    )
    languages: tuple[str, ...] = pydantic.Field(
        default=("en", "zh"),
        min_length=1,
        description="Of a text in several languages, the first of these is taken.",
    )
    errors: _Rules = pydantic.Field(
        default=(), description="What answers mean, after the rules of the call itself."
    )
    offers: Mapping[offer.Capability, Offering] = pydantic.Field(
        default={}, description="How offers are asked for, by shape."
    )
    facts: Mapping[str, Fact] = pydantic.Field(
        default={}, description="How facts about people are asked for, by name."
    )
    bookings: Mapping[offer.Capability, Booking] = pydantic.Field(
        default={}, description="How offers are booked, by shape."
    )

    @pydantic.field_validator("offers", mode="wrap")
    @classmethod
    def _mapped(cls, given: Any, read: pydantic.ValidatorFunctionWrapHandler) -> Any:  # noqa: ANN401 - as it was given
        """Tell which fields there are not beside whatever else is wrong."""
        wrong = _mismapped(given)
        try:
            offerings = read(given)
        except pydantic.ValidationError as others:
            raise template.joined(others, wrong) from None
        if wrong:
            raise pydantic_core.ValidationError.from_exception_data("offers", wrong)
        return offerings

    @pydantic.field_validator("facts")
    @classmethod
    def _known(cls, facts: Mapping[str, Fact]) -> Mapping[str, Fact]:
        if wrong := list(_unknown(facts)):
            raise pydantic_core.ValidationError.from_exception_data("facts", wrong)
        return facts


class HTTP(base.Connector[Options]):
    """Groups inquiries into the fewest calls its file allows; each row is read for each inquiry."""

    slug = "http"
    label: ClassVar[Mapping[str, str]] = {"en": "Declared partner", "zh": "声明式伙伴"}
    capabilities = frozenset(offer.Capability)
    books = frozenset(offer.Capability)
    options_model = Options
    EXAMPLE_OPTIONS: ClassVar[Mapping[str, Any]] = {
        "offers": {
            "showing": {
                "call": {"path": "events", "query": {"type": "{topic}", "from": "{since|date}"}},
                "pages": {"link": {"url": "links.next"}},
                "records": [{"foreach": "data"}],
                "fields": {"id": "id", "title": "name", "start": "starts", "venue": "room"},
            }
        }
    }
    EXAMPLES = (
        base.Example(
            name="two pages, the second by the link that the first gives",
            inquiries=(
                base.Inquiry(
                    offer.Capability.SHOWING,
                    "talk",
                    datetime(2026, 11, 23, tzinfo=ZoneInfo("Asia/Shanghai")),
                    datetime(2026, 11, 25, tzinfo=ZoneInfo("Asia/Shanghai")),
                ),
            ),
            replies=(
                base.Reply(
                    path="events",
                    query={"type": "talk", "from": "2026-11-23"},
                    body='{"links": {"next": "events?after=2"}, "data": ['
                    '{"id": 2, "name": "Bridges", "starts": "2026-11-24T19:00", "room": "B"}]}',
                ),
                base.Reply(
                    path="events",
                    query={"after": "2"},
                    body='{"links": {"next": null}, "data": ['
                    '{"id": 1, "name": "Boats", "starts": "2026-11-23T19:00", "room": "A"}]}',
                ),
            ),
            offers=(({"id": "1", "start": "2026-11-23T19:00:00+08:00"}, {"id": "2"}),),
        ),
    )

    def __init__(self, options: Options, partner: http.PartnerClient) -> None:
        super().__init__(options, partner)
        locale = mapping.Locale(options.zone, options.languages)
        self._locale = locale
        self.readings: reading.Readings[_Told] = reading.Readings()
        #: The calls to make for the inquiries that came last; they do not know who makes them.
        self._known: dict[tuple[base.Inquiry, ...], Sequence[_Ask]] = {}
        self._readers = {
            capability: mapping.Reader(offer.SHAPES[capability], one, locale)
            for capability, one in options.offers.items()
        }

    @classmethod
    def capabilities_of(cls, options: Options) -> frozenset[offer.Capability]:
        """Return the shapes that the file says how to ask for."""
        return frozenset(options.offers)

    @classmethod
    def supplies_of(cls, options: Options) -> frozenset[str]:
        """Return the facts that the file says how to ask for."""
        return frozenset(options.facts)

    @classmethod
    def books_of(cls, options: Options) -> frozenset[offer.Capability]:
        """Return the shapes that the file says how to book."""
        return frozenset(options.bookings)

    async def answer(
        self, inquiries: Sequence[base.Inquiry]
    ) -> Sequence[Sequence[offer.Offer] | errors.PartnerError]:
        """Return the offers for each inquiry, or why there are none for it alone."""
        budget = expression.Budget()
        # One is awaited as it is: most often there is one, and a task for it would cost as much.
        several = [ask.told(self, budget) for ask in self._asks(tuple(inquiries))]
        told = [await several[0]] if len(several) == 1 else await asyncio.gather(*several)
        found = {inquiry: given for ask in told for inquiry, given in ask.items()}
        given = [found[one] for one in inquiries]
        failures = [one for one in given if isinstance(one, errors.PartnerError)]
        if failures and len(failures) == len(given):
            raise failures[0]
        return given

    def _asks(self, inquiries: tuple[base.Inquiry, ...]) -> Sequence[_Ask]:
        """Return the calls to make for inquiries."""
        found = self._known.get(inquiries)
        if found is None:
            if len(self._known) >= _MOST_KNOWN:
                del self._known[next(iter(self._known))]
            by_shape = operator.attrgetter("capability")
            groups = itertools.groupby(sorted(inquiries, key=by_shape), by_shape)
            found = [ask for shape, some in groups for ask in self._asks_of(shape, list(some))]
            self._known[inquiries] = found
        return found

    def _asks_of(
        self, capability: offer.Capability, inquiries: Sequence[base.Inquiry]
    ) -> list[_Ask]:
        offering, reader = self.options.offers[capability], self._readers[capability]
        if reader.window == "any":
            # The partner alone chooses by time, so it must be asked for each time.
            windows = [(one.since, one.until) for one in inquiries]
        else:
            whole = min(one.since for one in inquiries), max(one.until for one in inquiries)
            windows = [whole] * len(inquiries)
        words = [offering.topics.get(one.topic, one.topic) for one in inquiries]
        groups: dict[Any, list[_Asked]] = {}
        for inquiry, word, window in zip(inquiries, words, windows, strict=True):
            named = {"topic": word, "since": window[0], "until": window[1]}
            values = template.Values(named, self.options.zone)
            key = window if offering.batch else (window, word)
            groups.setdefault(key, []).append(_Asked(inquiry, word, values))
        size = offering.batch.size if offering.batch else len(inquiries)
        return [
            _Ask(offering, reader, some[place : place + size])
            for some in _merged(groups, offering)
            for place in range(0, len(some), size)
        ]

    async def facts(self, subject: str, names: frozenset[str]) -> Mapping[str, object]:
        """Return what the partner knows of a person; equal calls are made once."""
        budget = expression.Budget()
        values = template.Values({"subject": subject}, self.options.zone)
        wanted = {name: self.options.facts[name] for name in sorted(names)}
        calls = {name: call.Filled.of(one.call, values) for name, one in wanted.items()}
        callers = {
            filled: call.Caller(
                self.partner, wanted[name].call, self.options.errors, budget, private=True
            )
            for name, filled in calls.items()
        }
        pages = await asyncio.gather(*(one.ask(filled) for filled, one in callers.items()))
        told = dict(zip(callers, pages, strict=True))
        found = {
            name: budget.find(one.value, page.seen)
            for name, one in wanted.items()
            if (page := told[calls[name]]) is not None
        }
        return {name: value for name, value in found.items() if value is not None}

    async def reserve(self, order: base.Order) -> base.Booked:
        """Take what is ordered, with the file's `reserve`."""
        booking = self.options.bookings[order.capability]
        after = base.Step.HELD if booking.confirm else base.Step.CONFIRMED
        return await self._done(booking.reserve, order, base.Booked(after, ""))

    async def confirm(self, order: base.Order, booked: base.Booked) -> base.Booked:
        """Turn a hold into a booking, with the file's `confirm`."""
        step = self.options.bookings[order.capability].confirm
        if step is None or booked.step is base.Step.CONFIRMED:
            return replace(booked, step=base.Step.CONFIRMED)
        after = replace(booked, step=base.Step.CONFIRMED, expires_at=None)
        return await self._done(step, order, after)

    async def cancel(self, order: base.Order, booked: base.Booked) -> base.Booked:
        """Give it back, with the step that undoes how far it has come."""
        booking = self.options.bookings[order.capability]
        after = replace(booked, step=base.Step.CANCELLED, expires_at=None)
        if booked.step is base.Step.CANCELLED:
            return after
        held = booked.step is base.Step.HELD or booking.confirm is None
        name = booking.reserve.undo if held or not booking.confirm else booking.confirm.undo
        return await self._done(booking.undo[name], order, after)

    async def find(self, order: base.Order) -> base.Booked | None:
        """Look a booking up by its key, with the file's `find`."""
        booking = self.options.bookings[order.capability]
        if booking.find is None:
            raise NotImplementedError
        after = base.Booked(base.Step.HELD if booking.confirm else base.Step.CONFIRMED, "")
        return await self._acted(booking.find, order, after, reads=True)

    async def _done(self, step: Step, order: base.Order, after: base.Booked) -> base.Booked:
        """Do an act; one whose answer says that there is nothing has nothing left to do."""
        return await self._acted(step, order, after, reads=False) or after

    async def _acted(
        self, step: Step, order: base.Order, after: base.Booked, *, reads: bool
    ) -> base.Booked | None:
        """Return what the partner says of a booking after a step.

        Args:
            step: The step.
            order: What is booked.
            after: How the booking stands then, as far as the answer does not say.
            reads: The step changes nothing.
        """
        budget = expression.Budget()
        try:
            values = await self._values(step, order, after, budget)
            filled = call.Filled.of(step.call, values)
        except errors.PartnerError as failure:
            # Nothing was done yet.
            failure.may_have_acted = False
            raise
        caller = call.Caller(self.partner, step.call, self.options.errors, budget, private=True)
        page = await caller.ask(filled, reads=reads)
        return _booked(step, page, after, self._locale, budget) if page else None

    async def _values(
        self, step: Step, order: base.Order, booked: base.Booked, budget: expression.Budget
    ) -> template.Values:
        offering = self.options.offers.get(order.capability)
        topics = offering.topics if offering else {}
        named: dict[str, Any] = {
            "key": order.key,
            "subject": order.subject,
            "topic": topics.get(order.topic, order.topic),
            "offer": order.offer,
            "units": order.units,
            "reference": booked.reference,
            **{f"handle.{name}": text for name, text in booked.handle.items()},
        }
        values = template.Values(named, self.options.zone)
        if step.read is None:
            return values
        caller = call.Caller(
            self.partner, step.read.call, self.options.errors, budget, private=True
        )
        page = await caller.ask(call.Filled.of(step.read.call, values))
        if page is None:
            raise errors.Refused("The partner has no such offer.", errors.Problem.NOT_FOUND)
        for name, sought in step.read.values.items():
            if (found := budget.find(sought, page.seen)) in (None, ""):
                raise errors.bad_answer(f"lacks what `read.{name}` is read from")
            named[f"read.{name}"] = found
        return values


#: What each inquiry is told.
_Told = dict[base.Inquiry, Sequence[offer.Offer] | errors.PartnerError]


@dataclass(frozen=True, slots=True)
class _Asked:
    """One inquiry, by the partner's word for its topic, and what its call is filled in with."""

    inquiry: base.Inquiry
    word: str
    values: template.Values


@dataclass(frozen=True)
class _Ask:
    """One call with its pages, for one inquiry or several; it may be made again and again."""

    offering: Offering
    reader: mapping.Reader
    asked: Sequence[_Asked]

    async def told(self, connector: HTTP, budget: expression.Budget) -> _Told:
        """Return what each inquiry is told."""
        readings = connector.readings
        try:
            rows, pages = await self._rows(connector, budget)
        except errors.PartnerError as failure:
            return {one.inquiry: failure for one in self.asked}
        known = readings.known(self._key, pages)
        if known is not None:
            return known
        keyed = _Rows.of(rows, self.offering.batch, budget)
        told = {one.inquiry: await self._given(one, keyed, budget) for one in self.asked}
        if not any(isinstance(one, errors.PartnerError) for one in told.values()):
            readings.keep(self._key, pages, told)
        return told

    @cached_property
    def _key(self) -> Hashable:
        """What is asked, and in which window."""
        return (self._window, *(one.inquiry for one in self.asked))

    @cached_property
    def _window(self) -> decode.Window:
        values = self.asked[0].values
        return values["since"], values["until"]

    @cached_property
    def _filled(self) -> call.Filled:
        """The call; what cannot be asked for is raised, as ``Filled.of`` does."""
        values = self.asked[0].values
        if self.offering.batch:
            values = template.Values({**values.named, "batch": self._batch()}, values.zone)
        return call.Filled.of(self.offering.call, values)

    async def _rows(
        self, connector: HTTP, budget: expression.Budget
    ) -> tuple[list[Any], list[bytes]]:
        """Return the rows of the first level, of all pages; and the pages as they came."""
        caller = call.Caller(
            connector.partner,
            self.offering.call,
            connector.options.errors,
            budget,
            self._window,
        )
        rows: list[Any] = []
        pages = []

        def count(data: Any) -> int:  # noqa: ANN401 - data of any shape
            return len(self.reader.top(data, budget))

        async for page in paging.walk(self.offering.pages, caller, self._filled, count):
            pages.append(page.body)
            rows += self.reader.top(page.data, budget)
            if len(rows) > mapping.MOST_ROWS:
                raise errors.bad_answer(f"holds more than {mapping.MOST_ROWS:,} rows")
        return rows, pages

    def _batch(self) -> str | list[Any]:
        batch = self.offering.batch
        assert batch is not None  # noqa: S101 - the caller has looked
        each: list[Any] = []
        for one in self.asked:
            if (item := template.data(batch.each, one.values)) not in each:
                each.append(item)
        return each if batch.join is None else batch.join.join(map(str, each))

    async def _given(
        self, one: _Asked, rows: _Rows, budget: expression.Budget
    ) -> Sequence[offer.Offer] | errors.PartnerError:
        """Return the offers for one inquiry, or why there are none for it alone."""
        told = {
            "topic": one.word,
            "since": one.inquiry.since.isoformat(),
            "until": one.inquiry.until.isoformat(),
        }
        offers = []
        try:
            for row in rows.of_one(one.word, self.offering.batch, budget):
                if rows.is_turn():
                    await asyncio.sleep(0)
                for seen in self.reader.within(row, budget, asked=told):
                    made = self.reader.made(seen, budget)
                    if made is not None:
                        offers.append(made)
        except errors.PartnerError as failure:
            return failure
        return offer.Offers(self.reader.chosen(offers, one.inquiry.since, one.inquiry.until))


@dataclass(slots=True)
class _Rows:
    """The rows of the first level: of a batch by key, as far as they have one."""

    all: Sequence[Any]
    by_word: Mapping[str, Sequence[Any]]
    failure: errors.PartnerError | None = None
    read: int = 0

    @classmethod
    def of(cls, rows: Sequence[Any], batch: Batch | None, budget: expression.Budget) -> _Rows:
        """Return rows by what a batch is keyed by, where there is one."""
        by_word: dict[str, list[Any]] = {}
        try:
            for row in rows if batch else ():
                word = str(budget.find(batch.key, expression.scope(row))) if batch else ""
                by_word.setdefault(word, []).append(row)
        except errors.PartnerError as failure:
            return cls(rows, by_word, failure)
        return cls(rows, by_word)

    def of_one(self, word: str, batch: Batch | None, budget: expression.Budget) -> Sequence[Any]:
        """Return the rows for one inquiry.

        Raises:
            PartnerError: its row says so, or there is none; or some row has no key.
        """
        if batch is None:
            return self.all
        own = []
        for row in self.by_word.get(word, ()):
            rule = _rule(batch, row, budget)
            if rule is None:
                own.append(row)
            elif rule.problem is not None:
                raise call.failure(rule.problem)
        if self.failure is not None:
            raise self.failure
        if not own and batch.absent is not None:
            raise call.failure(batch.absent)
        return own

    def is_turn(self) -> bool:
        """Count a row that is read, and return whether everybody else has a turn before it."""
        self.read += 1
        return self.read % _TURN_ROWS == 1


def _rule(batch: Batch, row: Any, budget: expression.Budget) -> call.Rule | None:  # noqa: ANN401 - data of any shape
    if not batch.errors:
        return None
    seen = expression.scope(row)
    return next((rule for rule in batch.errors if rule.fits(200, seen, budget)), None)


def _merged(groups: Mapping[Any, list[_Asked]], offering: Offering) -> list[list[_Asked]]:
    """Return the groups, those together whose calls are the same when they are filled in."""
    if offering.batch:
        return list(groups.values())
    merged: dict[Any, list[_Asked]] = {}
    for key, some in groups.items():
        try:
            same: Any = call.Filled.of(offering.call, some[0].values)
        except errors.PartnerError:
            # It cannot be asked; that is told when it is.
            same = key
        merged.setdefault(same, []).extend(some)
    return list(merged.values())


def _booked(
    step: Step,
    page: call.Page,
    after: base.Booked,
    locale: mapping.Locale,
    budget: expression.Budget,
) -> base.Booked | None:
    """Return what an answer says of a booking, None where it has none."""
    seen = page.seen
    if step.booking is not None:
        found = budget.find(step.booking, seen)
        if found in (None, [], {}):
            return None
        seen = expression.scope(found, {"reply": page.seen["reply"]})

    def told(sought: Any, type_: type[Any], name: str) -> Any:  # noqa: ANN401 - a field of any type
        cast = mapping.CASTS[type_]
        return sought and mapping.read(sought, cast, name, seen, locale, budget)

    reference = told(step.reference, str, "reference") or after.reference
    if not reference:
        raise errors.bad_answer("lacks what `reference` is read from")
    handle = {name: budget.find(sought, seen) for name, sought in step.handle.items()}
    word = told(step.step, str, "step") or after.step
    if word not in set(base.Step):
        raise errors.bad_answer("holds a `step` that is none")
    kept = {name: str(value) for name, value in handle.items() if value is not None}
    return base.Booked(
        base.Step(word),
        reference,
        told(step.expires_at, datetime, "expires_at") or after.expires_at,
        {**after.handle, **kept},
    )


def _misnamed(
    form: pydantic.BaseModel, names: template.Names, at: tuple[str | int, ...]
) -> Iterator[Any]:
    """Yield the placeholders in a part of the options that stand for nothing."""
    yield from _below(at, template.wrong(form, names))


def _below(at: tuple[str | int, ...], found: Sequence[Any]) -> Iterator[Any]:
    for one in found:
        yield {**one, "loc": (*at, *one["loc"])}


def _unknown(facts: Mapping[str, Fact]) -> Iterator[Any]:
    known = rulebook.known_facts()
    for name in facts:
        if name not in known:
            sentence = f"No rule knows a fact “{name}” ({template.instead(name, known)})"
            yield template.mistaken(sentence, (name,), name)


def _mismapped(given: object) -> list[Any]:
    """Return the mistakes in which fields are mapped, of what may be wrong in other ways too."""
    shapes = {shape.value: one for shape, one in offer.SHAPES.items()}
    entries = given.items() if isinstance(given, dict) else ()
    return [
        mistake
        for capability, one in entries
        if capability in shapes and isinstance(one, dict) and isinstance(one.get("fields"), dict)
        for mistake in _below((capability,), mapping.check(one["fields"], shapes[capability]))
    ]


def _misbooked(one: Booking) -> list[Any]:
    """Return the mistakes in how offers are booked."""
    wrong: list[Any] = []
    later = {**_ORDERED, "reference": str, **{f"handle.{name}": str for name in one.handles}}
    steps: list[tuple[tuple[str, ...], Step | None, template.Names]] = [
        (("reserve",), one.reserve, _ORDERED),
        (("confirm",), one.confirm, later),
        (("find",), one.find, _ORDERED),
        *((("undo", name), step, later) for name, step in one.undo.items()),
    ]
    for at, step, names in steps:
        if step is None:
            continue
        read = step.read.values if step.read else {}
        known = {**names, **{f"read.{name}": str for name in read}}
        wrong += _misnamed(step.call, known, (*at, "call"))
        if step.read:
            wrong += _misnamed(step.read.call, names, (*at, "read", "call"))
        if isinstance(step, Acting) and step.undo not in one.undo:
            sentence = f"There is no step “{step.undo}” ({template.instead(step.undo, one.undo)})"
            wrong.append(template.mistaken(sentence, (*at, "undo"), step.undo))
        if at in (("reserve",), ("find",)) and step.reference is None:
            wrong.append(template.mistaken("The reference must be there", at, "reference"))
    return wrong
