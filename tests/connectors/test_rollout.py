"""A changed file answers its share of queries; where it fails, the one in force answers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from connectors import base, errors, http, manifest, rollout
from connectors import partner as at_work
from models import offer

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)


class Gallery(base.Connector[base.Options]):
    """Gives one pass called by its version, or fails, or waits for ever."""

    slug = "gallery"
    label: ClassVar = {"en": "Gallery"}
    capabilities = frozenset({offer.Capability.PASS})
    options_model = base.Options
    supplies = frozenset({"age"})
    books = frozenset({offer.Capability.PASS})

    fails: errors.PartnerError | None = None
    waits = False
    asked = 0
    booked = 0

    async def _goes(self) -> None:
        self.asked += 1
        if self.waits:
            await asyncio.Event().wait()
        if self.fails:
            raise self.fails

    async def answer(self, inquiries):
        await self._goes()
        return [[offer.Pass(id=self.partner.slug, title="A pass", where="here")] for _ in inquiries]

    async def facts(self, _subject, _names):
        await self._goes()
        return {"age": 30 if self.partner.slug == "old" else 31}

    async def reserve(self, _order):
        self.booked += 1
        return base.Booked(base.Step.CONFIRMED, self.partner.slug)


def described(**given) -> manifest.Manifest:
    return manifest.Manifest.model_validate(
        {
            "slug": "a-gallery",
            "kind": "gallery",
            "name": {"en": "A gallery"},
            "owner": "Connector team",
            "about": {"en": "Passes."},
            "documentation": "docs/connecting.md",
            "district": "changning",
            "address": "http://127.0.0.1:1/",
            "supplies": ["age"],
            "examples": [
                {
                    "name": "none",
                    "about": {"subject": "x", "facts": ["age"]},
                    "replies": [],
                    "facts": {"age": 30},
                }
            ],
            **given,
        }
    )


class Trial:
    """A candidate, the kinds behind both versions, and a clock."""

    def __init__(self, client: http.HTTPClient, **rolled_out) -> None:
        self.now = NOW
        self.old = Gallery(base.Options(), client.partner("old", "http://127.0.0.1:1/"))
        self.new = Gallery(base.Options(), client.partner("new", "http://127.0.0.1:1/"))
        self.in_force = at_work.Partner(described(), self.old, lambda: self.now)
        plan = manifest.Rollout(**{"percent": 10, "failures": 2, **rolled_out})
        self.candidate = rollout.Candidate(
            described(rollout=plan), self.new, lambda: self.now, "digest", self.in_force, plan
        )

    async def ask(self, seconds: float = 5.0, topic: str = "art") -> str:
        inquiry = base.Inquiry(offer.Capability.PASS, topic, NOW, NOW + timedelta(days=1))
        deadline = asyncio.get_running_loop().time() + seconds
        (answer,) = await self.candidate.ask([inquiry], deadline)
        return answer.offers[0].id if answer.offers else answer.problem

    async def supply(self, seconds: float = 5.0) -> dict:
        deadline = asyncio.get_running_loop().time() + seconds
        found = await self.candidate.supply("somebody", frozenset({"age"}), deadline)
        return dict(found.facts)

    @property
    def counts(self) -> tuple[int, int]:
        return self.candidate.tally.good, self.candidate.tally.failed


@pytest.fixture
async def trial():
    async with http.HTTPClient() as client:
        yield lambda **rolled_out: Trial(client, **rolled_out)


FAILURE = errors.bad_answer("is wrong")


@pytest.mark.parametrize("percent", [1, 10, 33, 99])
@pytest.mark.parametrize("every", [1, 2, 3, 7, 10])
async def test_so_many_of_a_hundred_queries_are_taken_whichever_of_them_ask(trial, percent, every):
    candidate = trial(percent=percent).candidate

    turns = [candidate.takes() for _ in range(1000 * every)]
    taken = sum(turns[::every])

    assert taken == pytest.approx(10 * percent, abs=8)


async def test_a_good_answer_is_the_new_files_and_never_a_remembered_one(trial):
    tried = trial()

    answers = [await tried.ask() for _ in range(3)]

    assert answers == ["new"] * 3
    assert tried.counts == (3, 0)
    assert tried.old.asked == 0


async def test_where_the_new_file_fails_the_one_in_force_answers(trial):
    tried = trial()
    tried.new.fails = FAILURE

    answer, facts = await tried.ask(), await tried.supply()

    assert answer == "old"
    assert facts == {"age": 30}
    assert tried.counts == (0, 2)
    assert tried.candidate.tally.problem is errors.Problem.BAD_ANSWER


async def test_facts_are_the_new_files_where_it_supplies_them(trial):
    tried = trial()

    facts = await tried.supply()

    assert facts == {"age": 31}
    assert tried.counts == (1, 0)


async def test_a_new_file_that_hangs_leaves_half_of_the_time_to_the_one_in_force(trial):
    tried = trial()
    tried.new.waits = True

    answer = await tried.ask(seconds=0.4)

    assert answer == "old"
    assert tried.candidate.tally.problem is errors.Problem.TIMEOUT
    assert tried.counts == (0, 1)


async def test_what_fails_by_either_file_counts_for_neither(trial):
    tried = trial()
    tried.new.fails = tried.old.fails = FAILURE

    answer, facts = await tried.ask(), await tried.supply()

    assert answer is errors.Problem.BAD_ANSWER
    assert facts == {}
    assert tried.counts == (0, 0)


async def test_after_so_many_in_vain_it_is_not_asked_any_more(trial):
    tried = trial(failures=2)
    tried.new.fails = FAILURE

    answers = [await tried.ask(topic=topic) for topic in ("art", "music", "film", "dance")]
    facts = await tried.supply()

    assert answers == ["old"] * 4
    assert facts == {"age": 30}
    assert tried.new.asked == 2
    assert tried.counts == (0, 2)


async def test_bookings_are_made_by_the_file_in_force(trial):
    tried = trial()
    order = base.Order("k" * 22, "somebody", offer.Capability.PASS, "art", "pass-1")

    deadline = asyncio.get_running_loop().time() + 5
    booked = await tried.candidate.book(base.Act.RESERVE, order, None, deadline)

    assert booked.reference == "old"
    assert (tried.old.booked, tried.new.booked) == (1, 0)


async def test_what_is_kept_is_told_once(trial):
    tried = trial()
    await tried.ask()
    kept = tried.candidate.tally
    await tried.ask()

    tried.candidate.told(kept)

    assert tried.counts == (1, 0)


async def test_who_is_asked_apart_counts_in_no_trial(trial):
    tried = trial()
    apart = tried.candidate.apart(lambda send: send)

    inquiry = base.Inquiry(offer.Capability.PASS, "art", NOW, NOW + timedelta(days=1))
    await apart.ask([inquiry], asyncio.get_running_loop().time() + 5)

    assert tried.counts == (0, 0)
