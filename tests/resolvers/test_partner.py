"""Hubs that share a database share their partners' files, whatever each one's folder says."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors import base, http, registry
from models import offer
from models import partner as versions
from models.partner import State
from resolvers.partner import Partners
from tests import partner

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
FILE = """\
slug: a-clinic
kind: hospital
name: {{en: Clinic {number}}}
owner: Connector team
about: {{en: Appointments.}}
documentation: docs/connecting.md#hospital
district: changning
version: "{number}"
address: http://127.0.0.1:1/
{more}
examples:
  - name: busy
    inquiries:
      - capability: appointment
        topic: dental
        since: "2026-11-23T00:00:00+08:00"
        until: "2026-11-24T00:00:00+08:00"
    replies: [{{path: Slot, status: 503, body: ""}}]
    problem: PARTNER_UNWELL
"""


class Process:
    """A hub's process: its folder, and the partners it has in force."""

    def __init__(self, database, client: http.HTTPClient, folder: Path) -> None:
        folder.mkdir()
        self.file = folder / "a-clinic.yaml"
        workshop = registry.Workshop(client, {}, {}, lambda: NOW)
        watch = registry.Watch([folder])
        self.partners = Partners(database, workshop, watch, lambda: NOW)

    def write(self, number: int, more: str = "") -> None:
        self.file.write_text(FILE.format(number=number, more=more), encoding="utf-8")

    async def shown(self) -> str | None:
        """Return which version is in force after two looks, as a change must stand still."""
        await self.partners.refreshed()
        found = (await self.partners.refreshed()).partners.get("a-clinic")
        return found and found.manifest.version


@pytest.fixture
async def process(database, tmp_path):
    async with partner.client() as client:
        yield lambda name: Process(database, client, tmp_path / name)


@pytest.fixture
def states(database):
    async def states() -> dict[str, State]:
        async with database.session() as session:
            (found,) = await versions.by_slugs(session, ["a-clinic"])
            return {one.edition: one.state for one in found}

    return states


async def test_two_folders_that_differ_do_not_fight(process, states):
    here, there = process("here"), process("there")
    here.write(1)
    there.write(2)

    first = await here.shown()
    second = await there.shown()
    settled = [await one.shown() for one in (here, there, here, there)]

    assert (first, second) == ("1", "2")
    assert settled == ["2"] * 4
    assert await states() == {"1": State.SUPERSEDED, "2": State.ACTIVE}


async def test_processes_that_see_a_change_at_once_bring_it_in_once(process, states):
    several = [process(name) for name in ("a", "b", "c")]
    for one in several:
        one.write(1)

    shown = await asyncio.gather(*(one.shown() for one in several))

    assert shown == ["1"] * 3
    assert await states() == {"1": State.ACTIVE}


async def test_a_file_that_goes_while_the_hub_is_down_is_gone_when_it_starts(process, states):
    first = process("first")
    first.write(1)
    await first.shown()

    started = process("second")

    assert await started.shown() is None
    assert await states() == {"1": State.REMOVED}


class Clinic:
    """Answers in place of a kind, or fails."""

    def __init__(self, connector, *, fails: bool) -> None:
        self.connector = connector
        self.fails = fails

    async def answer(self, inquiries):
        if self.fails:
            return await type(self.connector).answer(self.connector, inquiries)
        return [[] for _ in inquiries]


async def ask(process: Process, *, old: bool, new: bool) -> None:
    """Ask once by the file on trial, where each of the two answers or fails."""
    found = process.partners.registry.candidates["a-clinic"]
    for one, well in ((found, new), (found.in_force, old)):
        played = Clinic(one._connector, fails=not well)
        one._connector.answer = played.answer
    inquiry = base.Inquiry(offer.Capability.APPOINTMENT, "dental", NOW, NOW + timedelta(days=1))
    await found.ask([inquiry], asyncio.get_running_loop().time() + 5)


@pytest.fixture
async def trying(process):
    """Start two processes whose partner has a file on trial."""

    async def trying(plan: str) -> tuple[Process, Process]:
        several = process("here"), process("there")
        for number, more in ((1, ""), (2, f"rollout: {{{plan}}}")):
            for one in several:
                one.write(number, more)
                assert await one.shown() == "1"
        return several

    return trying


async def test_processes_count_together_what_a_trial_comes_to(trying, states):
    here, there = await trying("percent: 50, failures: 2")

    await ask(here, old=True, new=False)
    await here.shown()
    between = await states()
    await ask(there, old=True, new=False)
    shown = [await one.shown() for one in (there, here)]

    assert between["2"] is State.CANARY
    assert shown == ["1", "1"]
    assert await states() == {"1": State.ACTIVE, "2": State.ROLLED_BACK}
    assert here.partners.registry.candidates == {}


async def test_so_many_good_asks_of_all_processes_end_a_trial(trying, states):
    here, there = await trying("percent: 50, asks: 2")

    await ask(here, old=True, new=True)
    await here.shown()
    await ask(there, old=True, new=True)
    shown = [await one.shown() for one in (there, here)]

    assert shown == ["2", "2"]
    assert await states() == {"1": State.SUPERSEDED, "2": State.ACTIVE}


async def test_a_trial_of_what_fails_either_way_goes_on(trying, states):
    here, _ = await trying("percent: 50, failures: 1, asks: 1")

    await ask(here, old=False, new=False)
    await here.shown()

    assert (await states())["2"] is State.CANARY
