"""Trusted documents: what applications publish, version by version, and what is in force of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.registry import kinds
from eligibility.rulebook import known_facts
from models import document as rows
from models import errors
from models.database import Database
from models.document import Release, Sent
from resolvers.menu import Catalogue

#: Of all versions, or of an application's, the latest so many are listed.
MOST_LISTED = 100
#: So many documents one version sends at most.
MOST_DOCUMENTS = 2_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@/-]{0,63}")
_NAMES = "1 to 64 letters, digits and `._+@/-`, beginning with a letter or a digit"


@dataclass(frozen=True, slots=True)
class Given:
    """A text to be published: where it comes from, and the hash that its sender has for it."""

    where: str
    text: str
    hash: str = ""


#: Is told of what is in force, whenever that is otherwise.
Heard = Callable[[Sequence[Sent]], Awaitable[None]]
#: Says what is wrong with a text that comes from somewhere.
Judge = Callable[[str, str], Sequence[errors.Mistake]]


@dataclass(frozen=True, slots=True)
class Listed:
    """A version of an application, and how many documents it sends."""

    release: Release
    documents: int


def hash_of(text: str) -> str:
    """Return the name of a text: its SHA-256, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


class Published:
    """The documents in force, as they were when last looked at: at most a second ago."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stamp: int | None = None
        #: Who is told of changes.
        self.heard: Heard = _nothing
        #: Every text in force, by its hash.
        self.by_hash: Mapping[str, str] = {}
        #: Every text in force.
        self.texts: frozenset[str] = frozenset()
        #: The versions that are not retired.
        self.releases: frozenset[tuple[str, str]] = frozenset()

    async def begun(self) -> None:
        """Look at what is published, unless that was done already."""
        if self._stamp is None:
            await self.refreshed()

    async def refreshed(self) -> None:
        """Look at what is published, where anything changed."""
        async with self._database.session() as session:
            stamp = await rows.stamp(session)
            if stamp == self._stamp:
                return
            found = await rows.in_force(session)
        self.by_hash = {one.hash: one.text for one in found}
        self.texts = frozenset(self.by_hash.values())
        self.releases = frozenset((one.application, one.version) for one in found)
        self._stamp = stamp
        await self.heard(found)


async def _nothing(found: Sequence[Sent]) -> None:
    """Do nothing."""


async def publish(
    database: Database,
    release: tuple[str, str],
    given: Sequence[Given],
    judge: Judge,
    *,
    by: str,
    at: datetime,
) -> Listed:
    """Publish documents of a version of an application, beside those that it sends already.

    Published again they change nothing, but that a version that was retired is so no longer.

    Raises:
        BadInputError: application or version are no such names, or there are too many documents.
        MistakesError: the mistakes in every document; then none is published.
    """
    _check(release, given)
    mistakes = [one for each in given for one in (*_misnamed(each), *judge(each.where, each.text))]
    if mistakes:
        raise errors.MistakesError(mistakes)
    async with database.begin() as session:
        await rows.alone(session)
        row = await rows.release(session, *release)
        if row is None:
            application, version = release
            row = Release(
                application=application, version=version, published_at=at, published_by=by, turn=0
            )
            session.add(row)
            await session.flush()
        added = await rows.add(session, row, {hash_of(one.text): one.text for one in given})
        if added or row.retired_at is not None:
            row.published_at, row.published_by, row.retired_at = at, by, None
            row.turn += 1
        return Listed(row, await rows.many(session, row))


async def retire(database: Database, release: tuple[str, str], at: datetime) -> Listed:
    """Let the documents of a version count no more, but where another version sends them too.

    Raises:
        UnknownCodeError: nothing of this version was ever published.
    """
    async with database.begin() as session:
        await rows.alone(session)
        row = await rows.release(session, *release)
        if row is None:
            known = await rows.versions(session)
            raise errors.UnknownCodeError("application and version", " ".join(release), known)
        if row.retired_at is None:
            row.retired_at = at
            row.turn += 1
        return Listed(row, await rows.many(session, row))


async def listed(database: Database, application: str | None = None) -> list[Listed]:
    """Return the versions last published: all, or those of one application."""
    async with database.session() as session:
        found = await rows.listed(session, application, MOST_LISTED)
    return [Listed(row, many) for row, many in found]


async def in_force(database: Database) -> Sequence[Sent]:
    """Return every document of every version that is not retired."""
    async with database.session() as session:
        return await rows.in_force(session)


async def texts_of(database: Database, release: Release) -> Mapping[str, str]:
    """Return the texts that a version sends, by their hashes."""
    async with database.session() as session:
        return await rows.texts_of(session, release)


def codes(catalogue: Catalogue, partners: Iterable[str]) -> Mapping[str, Collection[str]]:
    """Return what documents may name, by what sort of thing it is."""
    lists = catalogue.lists
    return {
        "area": {one.code for one in lists.areas},
        "category": {one.code for one in lists.categories},
        "fact": known_facts(),
        "kind": kinds(),
        "partner": set(partners),
        "platform area": {one.code for one in lists.platform_areas},
        "policy": {one.code for one in lists.policies},
        "service": catalogue.services,
        "station": {one.code for one in lists.stations},
    }


def _check(release: tuple[str, str], given: Sequence[Given]) -> None:
    for name, text in zip(("application", "version"), release, strict=True):
        if not _NAME.fullmatch(text):
            raise errors.BadInputError(f"`{name}` has {_NAMES}.")
    if not 0 < len(given) <= MOST_DOCUMENTS:
        raise errors.BadInputError(f"There are 1 to {MOST_DOCUMENTS} documents to publish.")


def _misnamed(given: Given) -> list[errors.Mistake]:
    if given.hash in {"", hash_of(given.text)}:
        return []
    return [
        errors.Mistake(
            given.where,
            1,
            "",
            f"“{errors.shown(given.hash, 64)}” is not the SHA-256 of this text.",
            "Have the manifest made with SHA-256, of the texts as they are sent.",
        )
    ]
