"""One loader per batched question, made anew for each query, each batch with its own session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from strawberry.dataloader import DataLoader

from models import card, dossier, partner, trace
from models.database import Database, Session
from resolvers import ledger, menu
from resolvers.reads import Reads

K = TypeVar("K")
T = TypeVar("T")


class _Question(Generic[K, T]):
    """A question that a query can ask in batches; its loader is made when it is first asked."""

    def __init__(self, batch: Callable[[Session, Sequence[K]], Awaitable[list[T]]]) -> None:
        self._batch = batch

    def __set_name__(self, _: type[Loaders], name: str) -> None:
        self._name = name

    def __get__(self, loaders: Loaders, _: type[Loaders]) -> DataLoader[K, T]:
        # A loader does not know those who know it: nothing of a query is left in a cycle.
        reads, database = loaders.reads, loaders.database

        async def load(keys: list[K]) -> list[T]:
            asked = f"{self._batch.__module__}.{self._batch.__name__}"
            with trace.span("batch", asked=asked, keys=len(keys)):
                async with reads.one(), database.session() as session:
                    return await self._batch(session, keys)

        made = DataLoader(load_fn=load)
        loaders.__dict__[self._name] = made
        return made


class Loaders:
    """The batched questions a query can ask the database."""

    def __init__(self, database: Database, reads: Reads) -> None:
        self.database = database
        self.reads = reads

    people_by_handle = _Question(dossier.by_handles)
    people_by_id = _Question(dossier.by_ids)
    cards_by_holder = _Question(card.by_holders)
    units_by_spell = _Question(card.used)
    revisions_by_moment = _Question(menu.revisions_at)
    versions_by_partner = _Question(partner.by_slugs)
    inclusions_by_place = _Question(ledger.inclusions)
