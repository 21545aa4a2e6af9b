"""One loader per batched question, made anew for each query, each batch with its own session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from strawberry.dataloader import DataLoader

from models import card, dossier, partner, talent
from models.database import Database, Session
from resolvers import ledger, menu
from resolvers.menu import Catalogue
from resolvers.reads import Reads

K = TypeVar("K")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Loaders:
    """The batched questions a query can ask the database."""

    people_by_handle: DataLoader[str, talent.Talent | None]
    people_by_id: DataLoader[int, talent.Talent | None]
    cards_by_holder: DataLoader[int, card.Card | None]
    units_by_spell: DataLoader[card.Spell, int]
    catalogues_by_moment: DataLoader[datetime, Catalogue | None]
    versions_by_partner: DataLoader[str, list[partner.Version]]
    inclusions_by_place: DataLoader[int, ledger.Inclusion | None]

    @classmethod
    def over(cls, database: Database, reads: Reads) -> Loaders:
        """Return fresh loaders over a database."""

        def loader(
            batch: Callable[[Session, Sequence[K]], Awaitable[list[T]]],
        ) -> DataLoader[K, T]:
            async def load(keys: list[K]) -> list[T]:
                async with reads.one(), database.session() as session:
                    return await batch(session, keys)

            return DataLoader(load_fn=load)

        return cls(
            people_by_handle=loader(dossier.by_handles),
            people_by_id=loader(dossier.by_ids),
            cards_by_holder=loader(card.by_holders),
            units_by_spell=loader(card.used),
            catalogues_by_moment=loader(menu.at),
            versions_by_partner=loader(partner.by_slugs),
            inclusions_by_place=loader(ledger.inclusions),
        )
