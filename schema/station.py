"""Service points: where the district's services are had in person."""

from __future__ import annotations

import strawberry

from models import menu
from schema import scalars
from schema.info import Info
from schema.node import Node, global_id
from schema.scalars import Language, LocalizedText

scalars.describe(
    menu.StationKind,
    "What sort of service point it is.",
    {"CENTER": "A center with windows of several offices.", "STATION": "A neighbourhood station."},
)


@strawberry.type(description="Where an entry of the menu comes from.")
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


@strawberry.type(description="A window or an area inside a service point.")
class Window:
    row: strawberry.Private[menu.Window]

    @strawberry.field(description="Its code within its service point.")
    def code(self) -> str:
        return self.row.code

    @strawberry.field(description="Its name.")
    def name(self, info: Info, language: Language = None) -> LocalizedText:
        return LocalizedText.of(self.row.name, info, language)

    @strawberry.field(description="Where its existence is known from.")
    def citation(self, info: Info) -> Citation:
        return Citation.of(self.row.citation, info)


@strawberry.federation.type(keys=["id"], description="A service point of the district.")
class Station(Node):
    row: strawberry.Private[menu.Station]

    @classmethod
    def of(cls, row: menu.Station) -> Station:
        return cls(id=global_id("Station", row.code), row=row)

    @classmethod
    def resolve_reference(cls, info: Info, id: str) -> Station | None:
        return next((one for one in stations(info) if one.id == id), None)

    @strawberry.field(description="Its code.")
    def code(self) -> str:
        return self.row.code

    @strawberry.field(description="What sort of service point it is.")
    def kind(self) -> menu.StationKind:
        return self.row.kind

    @strawberry.field(description="Its name, as the article spells it.")
    def name(self, info: Info, language: Language = None) -> LocalizedText:
        return LocalizedText.of(self.row.name, info, language)

    @strawberry.field(description="Where it is.")
    def place(self, info: Info, language: Language = None) -> LocalizedText:
        return LocalizedText.of(self.row.place, info, language)

    @strawberry.field(description="The code of its district.")
    def district(self) -> str:
        return self.row.district

    @strawberry.field(description="Its windows and areas.")
    def windows(self) -> list[Window]:
        return [Window(row=row) for row in self.row.windows]

    @strawberry.field(description="Where its existence is known from.")
    def citation(self, info: Info) -> Citation:
        return Citation.of(self.row.citation, info)


def stations(info: Info) -> list[Station]:
    """Return the service points as the graph says them, in the menu's order."""
    found = info.context.catalogue
    return found.once("stations", lambda: [Station.of(row) for row in found.lists.stations])
