"""Service points: where the district's services are had in person."""

from __future__ import annotations

import strawberry

from models import menu
from schema import scalars
from schema.caching import PUBLIC
from schema.entry import Entry
from schema.info import Info
from schema.node import Node, global_id, key_in
from schema.scalars import Language, LocalizedText

scalars.describe(
    menu.StationKind,
    "What sort of service point it is.",
    {"CENTER": "A center with windows of several offices.", "STATION": "A neighbourhood station."},
)


@strawberry.type(description="A window or an area inside a service point.", directives=[PUBLIC])
class Window(Entry):
    row: strawberry.Private[menu.Window]


@strawberry.federation.type(
    keys=["id", "code"], description="A service point of the district.", directives=[PUBLIC]
)
class Station(Node, Entry):
    row: strawberry.Private[menu.Station]

    @classmethod
    def of(cls, row: menu.Station) -> Station:
        return cls(id=global_id("Station", row.code), row=row)

    @classmethod
    def resolve_reference(cls, info: Info, id: str = "", code: str = "") -> Station | None:
        key = code or key_in(id, "Station")
        return next((one for one in stations(info) if one.row.code == key), None)

    @strawberry.field(description="What sort of service point it is.")
    def station_kind(self) -> menu.StationKind:
        return self.row.kind

    @strawberry.field(description="Where it is.")
    def place(self, info: Info, language: Language = None) -> LocalizedText:
        return LocalizedText.of(self.row.place, info, language)

    @strawberry.field(description="The code of its district.")
    def district(self) -> str:
        return self.row.district

    @strawberry.field(description="Its windows and areas.")
    def windows(self) -> list[Window]:
        return [Window(row=row) for row in self.row.windows]


def stations(info: Info) -> list[Station]:
    """Return the service points as the graph says them, in the menu's order."""
    found = info.context.catalogue
    return found.once("stations", lambda: [Station.of(row) for row in found.lists.stations])
