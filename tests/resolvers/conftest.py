"""What resolvers are tried on: a small menu, a context over it, and partners that play a part."""

from __future__ import annotations

import asyncio
import dataclasses
from types import SimpleNamespace

import pytest

from connectors.board import Board
from connectors.errors import PartnerError
from connectors.http import HTTPClient
from connectors.partner import Answer, Freshness, Supply
from credentials import token
from credentials.pseudonym import Pseudonyms
from credentials.receipt import Notary
from models import menu, text
from models.offer import Offers
from resolvers import menu as catalogue
from resolvers.authority import Authority
from resolvers.context import Context
from resolvers.directory import Directory
from resolvers.issuer import Trusted
from resolvers.key import Keys
from resolvers.limit import Limits
from resolvers.viewer import Viewer
from tests import catalogue as small


@pytest.fixture
def catalogue_of():
    """Make a catalogue of these services, with a few lists around them."""

    def catalogue_of(*services: dict, revision: int = 1) -> catalogue.Catalogue:
        found = small.a_menu(*services)
        row = menu.Revision(id=revision, digest="d", source="s", published_at=small.NOW)
        return catalogue.Catalogue.of(row, found)

    return catalogue_of


NOTARY = Notary([token.new_key()])
NAMES = Pseudonyms(b"k" * 32)


def authority_over(database) -> Authority:
    """What a hub over this database issues and checks with; nothing is read yet."""
    return Authority(
        issuer="https://greenway.example",
        district="changning",
        database=database,
        clock=lambda: small.NOW,
        pseudonyms=NAMES,
        master=b"m" * 32,
        keys=Keys(database, b"s" * 32, lambda: small.NOW),
        verifiers=Directory(database),
        issuers=Trusted(database, lambda: small.NOW, HTTPClient()),
        limits=Limits(Board()),
    )


@pytest.fixture
def authority(database, clock) -> Authority:
    """What a hub issues and checks with, whose time is the test's clock."""
    return dataclasses.replace(
        authority_over(database),
        clock=clock,
        keys=Keys(database, b"s" * 32, clock),
        issuers=Trusted(database, clock, HTTPClient()),
    )


class Played:
    """A partner that notes what it is asked and answers as it is told.

    ``knows`` are facts; ``failure``: it supplies none.
    """

    def __init__(self, slug: str) -> None:
        self.slug = slug
        self.manifest = SimpleNamespace(name=text.Text({"en": slug}))
        self.asked: list[tuple] = []
        self.offers = ()
        #: What it answers to whatever it is asked.
        self.answer: Answer | None = None
        self.raises: Exception | None = None
        self.supplied: list[tuple] = []
        self.knows: dict = {}
        self.failure: PartnerError | None = None
        #: How many partners must be asked before any answers.
        self.together = asyncio.Barrier(1)
        self.retry_after_seconds: float | None = None

    async def ask(self, inquiries, _deadline):
        self.asked.append(tuple(inquiries))
        await asyncio.sleep(0)
        if self.raises:
            raise self.raises
        return [
            self.answer
            or Answer(
                partner=self.slug,
                freshness=Freshness.LIVE,
                offers=Offers(self.offers),
                observed_at=small.NOW,
                retry_after_seconds=self.retry_after_seconds,
            )
            for _ in inquiries
        ]

    async def supply(self, subject, names, _deadline):
        self.supplied.append((subject, names))
        await self.together.wait()
        if self.raises:
            raise self.raises
        if self.failure:
            return Supply(self.slug, failure=self.failure)
        return Supply(self.slug, {name: self.knows[name] for name in names & self.knows.keys()})


@pytest.fixture
def partners() -> dict[str, Played]:
    return {slug: Played(slug) for slug in ("first", "second")}


@pytest.fixture
def registry(partners):
    return SimpleNamespace(partners=partners, kinds={}, set_aside={}, suppliers={})


@pytest.fixture
def context_of(registry, catalogue_of):
    """Make a query's context; without a database nobody is known."""

    def context_of(viewer=None, found=None, database=None) -> Context:
        return Context.of(
            viewer=viewer or Viewer(),
            languages=("en",),
            now=small.NOW,
            database=database,
            registry=registry,
            catalogue=found or catalogue_of(),
            notary=NOTARY,
            authority=authority_over(database),
            deadline=asyncio.get_running_loop().time() + 5,
        )

    return context_of
