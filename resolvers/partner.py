"""Partner files while the hub runs: what folders and the endpoint bring, tried, and taken back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import datetime

from connectors import registry, rollout
from connectors.manifest import Manifest
from connectors.registry import File, Registry, Wanted
from models import errors, partner
from models.database import Database, Session
from models.partner import Origin, State, Version
from resolvers.context import Context

_log = logging.getLogger("greenway.connectors")

#: What the folders have of a partner, by digest, and where its file at work came from.
_Sides = tuple[str | None, Origin | None]


class Partners:
    """The registry in force in this process, as the folders and the hubs' database have it."""

    def __init__(
        self,
        database: Database,
        workshop: registry.Workshop,
        watch: registry.Watch,
        clock: Callable[[], datetime],
    ) -> None:
        self.registry: Registry | None = None
        self._database = database
        self._workshop = workshop
        self._watch = watch
        self._clock = clock
        self._turn = asyncio.Lock()
        self._sides: dict[str, _Sides] = {}
        self._wrong: dict[str, registry.Mistakes] = {}
        self._built: object = None

    async def current(self) -> Registry:
        """Return the registry in force, made the first time."""
        return self.registry or await self.refreshed()

    async def mark(self) -> Hashable:
        """Return what is another when there is something to look at beside the database."""
        tried = self.registry.candidates.values() if self.registry else ()
        tallies = tuple((one.tally.good, one.tally.failed) for one in tried)
        return await asyncio.to_thread(self._watch.marks), tallies

    async def refreshed(self) -> Registry:
        """Return the registry in force after what has changed in the folders and the database."""
        async with self._turn:
            await self._judge_trials()
            files = await asyncio.to_thread(self._watch.look)
            live = await self._live()
            if due := self._due(files, live):
                live = await self._taken_over(due, files, live)
                self._sides = _sides(files, live)
            shown = [(one.slug, one.digest, one.state) for one in live], dict(self._wrong)
            if self.registry is None or shown != self._built:
                self.registry = await self._build(files)
                self._built = shown
            await self._workshop.drain()
            return self.registry

    async def _live(self) -> Sequence[Version]:
        async with self._database.session() as session:
            return await partner.live(session)

    def _due(self, files: Mapping[str, File], live: Iterable[Version]) -> list[str]:
        """Return the partners of whom a folder says something else than when last looked at.

        A folder that says the same changes nothing, whatever other hubs' folders have brought.
        """
        now = _sides(files, live)
        return [slug for slug in now if now[slug] != self._sides.get(slug)]

    async def _taken_over(
        self, due: Sequence[str], files: Mapping[str, File], live: Sequence[Version]
    ) -> Sequence[Version]:
        """Bring what the folders say of these partners into force; return what is live then."""
        changed = [files[slug] for slug in due if slug in files]
        suppliers = self.registry.suppliers if self.registry else {}
        good, wrong = await asyncio.to_thread(self._workshop.checked, changed, suppliers)
        others = {slug: found for slug, found in self._wrong.items() if slug not in due}
        self._wrong = others | wrong
        news = []
        for slug in due:
            here = [one for one in live if one.slug == slug]
            said = {good[slug].digest} if slug in good else set()
            if said == {one.digest for one in here} or slug in wrong:
                continue
            if all(one.origin is Origin.FOLDER for one in here):
                news.append(slug)
            elif said:
                _log.warning("%s goes by what was installed, whatever its folder says", slug)
        if not news:
            return live
        disproved = await self._workshop.disproved(good[slug] for slug in news if slug in good)
        self._wrong |= disproved
        async with self._database.begin() as session:
            await partner.alone(session)
            for slug in news:
                if slug not in disproved:
                    await self._bring(session, slug, good.get(slug))
            return await partner.live(session)

    async def _bring(self, session: Session, slug: str, file: File | None) -> None:
        """Bring what a folder says of a partner into force; None is that it has no such file."""
        at_work = await partner.live_of(session, slug)
        if any(one.origin is Origin.ENDPOINT for one in at_work.values()):
            return
        if file is None:
            await partner.remove(session, slug, Origin.FOLDER, self._clock())
            return
        described = self._workshop.described(file)
        version = _version(file, described, Origin.FOLDER, self._clock())
        found = await partner.install(session, version, on_trial=described.rollout is not None)
        _log.info("%s %s is %s", slug, found.edition, found.state)

    async def _build(self, files: Mapping[str, File]) -> Registry:
        """Return the registry of what is live, with the mistakes of what the folders have else."""
        async with self._database.session() as session:
            live = await partner.live(session, texts=True)
        names = {(one.slug, one.digest): one.name for one in files.values()}
        found = {
            state: [
                File(one.slug, one.text, names.get((one.slug, one.digest), f"{one.slug}.yaml"))
                for one in live
                if one.state is state
            ]
            for state in (State.ACTIVE, State.CANARY)
        }
        checked = self._workshop.checked
        good, wrong = await asyncio.to_thread(checked, found[State.ACTIVE])
        tried, spoilt = await asyncio.to_thread(checked, found[State.CANARY])
        wanted = {slug: Wanted(file, tried.get(slug)) for slug, file in good.items()}
        return self._workshop.registry(wanted, {**wrong, **spoilt, **self._wrong})

    async def _judge_trials(self) -> None:
        """Have what came of trials kept for all hubs; end those that have shown enough."""
        for slug, tried in self.registry.candidates.items() if self.registry else ():
            tally = tried.tally
            if tally.good or tally.failed:
                async with self._database.begin() as session:
                    await partner.alone(session)
                    await self._judge(session, slug, tried, tally)
                tried.told(tally)

    async def _judge(
        self, session: Session, slug: str, tried: rollout.Candidate, tally: rollout.Tally
    ) -> None:
        now = self._clock()
        found = await partner.count(
            session, slug, tried.digest, good=tally.good, failed=tally.failed
        )
        if found is None:
            return
        if found.failed >= tried.rollout.failures:
            asks = found.good + found.failed
            reason = (
                f"{found.failed} of {asks} asks failed that the file before it answered; "
                f"the last: {tally.problem}."
            )
            await partner.roll_back(session, slug, now, reason)
            _log.warning("%s %s is rolled back: %s", slug, found.edition, reason)
        elif found.good >= tried.rollout.asks:
            await partner.promote(session, slug, now)
            _log.info("%s %s is promoted", slug, found.edition)


async def installed(database: Database) -> list[File]:
    """Return the files in force that came through the endpoint."""
    async with database.session() as session:
        live = await partner.live(session, texts=True)
    return [
        File(one.slug, one.text, f"{one.slug}.yaml")
        for one in live
        if one.origin is Origin.ENDPOINT and one.state is State.ACTIVE
    ]


async def install(context: Context, code: str, text: str) -> Version:
    """Bring a partner's file (YAML) into force, and return it as it then is.

    It is tried first where it says so and another is in force. What was rolled back stays so.

    Raises:
        BadInputError: it is of the sandbox, and that does not run.
        MistakesError: the text has mistakes.
    """
    found = context.registry
    file = File(code, text, f"{errors.shown(code)}.yaml")
    entry = await asyncio.to_thread(found.workshop.check, file, found.suppliers)
    if entry is None:
        raise errors.BadInputError("This is a partner of the sandbox, which does not run here.")
    if disproved := await registry.disproved(entry):
        raise errors.MistakesError(disproved)
    version = _version(file, entry.manifest, Origin.ENDPOINT, context.now, context.viewer.subject)
    async with context.database.begin() as session:
        await partner.alone(session)
        on_trial = entry.manifest.rollout is not None
        return await partner.install(session, version, on_trial=on_trial)


async def promote(context: Context, code: str) -> Version:
    """Bring into force what is on trial, and return it.

    Raises:
        UnknownCodeError: of no partner so called is anything on trial.
    """
    async with context.database.begin() as session:
        await partner.alone(session)
        found = await partner.promote(session, code, context.now, context.viewer.subject)
        if found is None:
            raise await _unknown(session, "partner with a version on trial", code, State.CANARY)
        return found


async def roll_back(context: Context, code: str, reason: str) -> Version:
    """Take back what is on trial, else what is in force for the one before; return what was taken.

    Raises:
        UnknownCodeError: no partner so called has anything to go back to.
    """
    async with context.database.begin() as session:
        await partner.alone(session)
        by = context.viewer.subject
        found = await partner.roll_back(session, code, context.now, reason, by)
        if found is None:
            raise await _unknown(session, "partner with a version to go back to", code)
        return found


async def remove(context: Context, code: str) -> Version:
    """Take away what was installed of a partner, and return it; what a folder has of it is back.

    Raises:
        UnknownCodeError: nothing at work was installed of a partner so called.
    """
    async with context.database.begin() as session:
        await partner.alone(session)
        by = context.viewer.subject
        found = await partner.remove(session, code, Origin.ENDPOINT, context.now, by)
        if found is None:
            raise await _unknown(session, "installed partner", code)
        return found


async def _unknown(
    session: Session, noun: str, code: str, *states: State
) -> errors.UnknownCodeError:
    live = await partner.live(session)
    known = {one.slug for one in live if not states or one.state in states}
    return errors.UnknownCodeError(noun, code, known)


def _version(
    file: File, described: Manifest, origin: Origin, at: datetime, by: str | None = None
) -> Version:
    return Version(
        slug=file.slug,
        digest=file.digest,
        edition=described.version,
        text=file.text,
        origin=origin,
        changed_at=at,
        changed_by=by,
    )


def _sides(files: Mapping[str, File], live: Iterable[Version]) -> dict[str, _Sides]:
    origins: dict[str, Origin] = {}
    for one in live:
        # What was installed reigns, be it on trial alone.
        if origins.get(one.slug) is not Origin.ENDPOINT:
            origins[one.slug] = one.origin
    return {
        slug: (files[slug].digest if slug in files else None, origins.get(slug))
        for slug in {**files, **origins}
    }
