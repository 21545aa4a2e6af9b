"""A provider that publishes SMART Scheduling Links: its files of free slots are appointments."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

import orjson
import pydantic
import yarl

from connectors import base, errors, exchange, fhir, wire
from models import offer

#: Types of resources that are read; a client ignores files of others.
_READ = frozenset({"Slot", "Schedule", "Location"})


class Options(base.Options):
    """What a provider's file says beside its address."""

    manifest: str = pydantic.Field(
        default="$bulk-publish", description="Where the manifest is, below the address."
    )
    states: tuple[str, ...] = pydantic.Field(
        default=(), description="The states whose files are read, as they name them; all if empty."
    )
    codes: Mapping[str, str] = pydantic.Field(
        default={},
        description="The provider's own service type code by topic, where the two differ.",
    )
    source: str | None = pydantic.Field(
        default=None, description="What booking links are told of where people come from."
    )


class _Extension(wire.Record):
    state: tuple[str, ...] = ()


class _Output(wire.Record):
    type: str
    url: str
    extension: _Extension = _Extension()


class _Manifest(wire.Record):
    output: tuple[_Output, ...]


class Scheduling(base.Connector[Options]):
    """One manifest and its files answer all inquiries; services and windows are chosen here.

    Publishers ask not to be polled more than once a minute: `limits.poll_seconds` keeps to it.
    """

    slug = "scheduling"
    label: ClassVar[Mapping[str, str]] = {"en": "Published appointments", "zh": "公开预约时段"}
    capabilities = frozenset({offer.Capability.APPOINTMENT})
    options_model = Options
    EXAMPLE_OPTIONS: ClassVar[Mapping[str, object]] = {"source": "greenway", "states": ["SH"]}
    EXAMPLES = (
        base.Example(
            name="a slot of this state; its service from the schedule, its place from the location",
            inquiries=(
                base.Inquiry(
                    offer.Capability.APPOINTMENT,
                    "vaccination",
                    datetime.fromisoformat("2026-11-23T00:00:00+08:00"),
                    datetime.fromisoformat("2026-11-25T00:00:00+08:00"),
                ),
            ),
            replies=(
                base.Reply(
                    path="$bulk-publish",
                    body='{"transactionTime": "2026-11-22T08:00:00Z", "request": "r", "output": ['
                    '{"type": "Slot", "url": "{address}/slots.ndjson",'
                    ' "extension": {"state": ["SH"]}},'
                    '{"type": "Slot", "url": "{address}/elsewhere.ndjson",'
                    ' "extension": {"state": ["JS"]}},'
                    '{"type": "Weather", "url": "{address}/weather.ndjson"}]}',
                ),
                base.Reply(
                    path="slots.ndjson",
                    content_type="application/fhir+ndjson",
                    body='{"resourceType": "Slot", "id": "s-1", "status": "free",'
                    ' "schedule": {"reference": "Schedule/1"},'
                    ' "start": "2026-11-24T02:00:00Z", "end": "2026-11-24T02:15:00Z",'
                    ' "extension": [{"url": "http://fhir-registry.smarthealthit.org/'
                    'StructureDefinition/booking-deep-link",'
                    ' "valueUrl": "https://book.example/?slot=s-1"}]}\n\n'
                    '{"resourceType": "Schedule", "id": "1",'
                    ' "actor": [{"reference": "Location/9"}],'
                    ' "serviceType": [{"coding": [{"code": "vaccination"}],'
                    ' "text": "Influenza vaccination"}]}\n'
                    '{"resourceType": "Location", "id": "9", "name": "Willow Lane Clinic",'
                    ' "address": {"line": ["12 Willow Lane"], "city": "Shanghai"}}\n',
                ),
            ),
            offers=(
                (
                    {
                        "id": "s-1",
                        "title": "Influenza vaccination",
                        "where": "Willow Lane Clinic, 12 Willow Lane, Shanghai",
                        "url": "https://book.example/?slot=s-1&source=greenway",
                    },
                ),
            ),
        ),
    )

    async def answer(self, inquiries: Sequence[base.Inquiry]) -> Sequence[Sequence[offer.Offer]]:
        """Return the published free slots for each inquiry."""
        reply = await self.partner.get(self.options.manifest)
        files = [one for one in wire.read(_Manifest, reply.json()).output if self._wanted(one)]
        if len(files) > (most := self.partner.policy.pages):
            raise errors.bad_answer(f"is spread over more than {most} files")
        # Files are often published from plain file servers, which know no such media type.
        replies = await asyncio.gather(
            *(self.partner.follow(one.url, accept="*/*") for one in files)
        )
        slots = fhir.Slots([resource for reply in replies for resource in _lines(reply)])
        return [
            [self._linked(one) for one in slots.appointments(asked, self._code(asked))]
            for asked in inquiries
        ]

    def _wanted(self, output: _Output) -> bool:
        states = output.extension.state
        elsewhere = states and self.options.states and not {*states} & {*self.options.states}
        return output.type in _READ and not elsewhere

    def _code(self, asked: base.Inquiry) -> str:
        return self.options.codes.get(asked.topic, asked.topic)

    def _linked(self, one: offer.Appointment) -> offer.Appointment:
        """Return the appointment whose link, which may have a query already, says the source."""
        if one.url is None or self.options.source is None:
            return one
        return replace(one, url=str(yarl.URL(one.url).extend_query(source=self.options.source)))


def _lines(reply: exchange.Reply) -> list[fhir.Resource]:
    try:
        lines = [orjson.loads(line) for line in reply.body.splitlines() if line.strip()]
    except orjson.JSONDecodeError:
        raise errors.unreadable("is not JSON by lines, or is cut short") from None
    return wire.read(list[fhir.Resource], lines)
