"""What every entry of the menu's lists has: a code, a name, and where it comes from."""

from __future__ import annotations

from typing import Protocol

import strawberry

from models import menu, text
from schema.caching import PUBLIC
from schema.info import Info
from schema.scalars import Language, LocalizedText


@strawberry.type(description="Where an entry of the menu comes from.", directives=[PUBLIC])
class Citation:
    source: str = strawberry.field(description="The source's code; `hub` is the hub's own setting.")
    title: str = strawberry.field(description="The source's title.")
    publisher: str = strawberry.field(description="Who published it.")
    quote: str | None = strawberry.field(description="Its words, where they are quoted.")

    @classmethod
    def of(cls, found: menu.Citation, info: Info) -> Citation:
        catalogue = info.context.catalogue
        sources = catalogue.once(
            "sources", lambda: {one.code: one for one in catalogue.lists.sources}
        )
        cited = sources[found.source]
        return cls(
            source=cited.code, title=cited.title, publisher=cited.publisher, quote=found.quote
        )


class _Row(Protocol):
    """What the rows of all these lists have."""

    @property
    def code(self) -> str: ...
    @property
    def name(self) -> text.Text: ...
    @property
    def citation(self) -> menu.Citation: ...


@strawberry.interface(description="An entry of one of the menu's lists.", directives=[PUBLIC])
class Entry:
    row: strawberry.Private[_Row]

    @strawberry.field(description="Its code: stable, and what filters and links are given.")
    def code(self) -> str:
        return self.row.code

    @strawberry.field(description="Its name, as its source spells it.")
    def name(self, info: Info, language: Language = None) -> LocalizedText:
        return LocalizedText.of(self.row.name, info, language)

    @strawberry.field(description="Where it comes from.")
    def citation(self, info: Info) -> Citation:
        return Citation.of(self.row.citation, info)
