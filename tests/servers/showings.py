"""An OData v4 service that others wrote (odatapy), over a set of sessions, at the port given."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from wsgiref import simple_server

from odatapy.data import Entity, ValueType
from odatapy.edm import csdl
from odatapy.server import OData
from odatapy.server.adapters import ODataWSGIApp
from odatapy.server.inmemory import InMemoryDataStore, InMemoryProcessor

TYPES = {
    "ID": "Edm.Int32",
    "Title": "Edm.String",
    "Series": "Edm.String",
    "Showtime": "Edm.DateTimeOffset",
    "SeatsAvailable": "Edm.Int32",
}
SERIES = ("Children's Cinema", "Classics")
FIRST = datetime(2026, 11, 24, 2, tzinfo=UTC)


class Provider(csdl.CsdlAbstractEdmProvider):
    def get_schemas(self):
        session = csdl.CsdlEntityType(
            name="Session",
            key=[csdl.CsdlPropertyRef(name="ID")],
            properties=[csdl.CsdlProperty(name=name, type=of) for name, of in TYPES.items()],
        )
        container = csdl.CsdlEntityContainer(
            name="Container",
            entity_sets=[csdl.CsdlEntitySet(name="Sessions", type="Cinema.Session")],
        )
        return [
            csdl.CsdlSchema(namespace="Cinema", entity_types=[session], entity_container=container)
        ]


def session(number):
    """Return one of the sessions, an hour after the one before; the two series take turns."""
    values = {
        "ID": number,
        "Title": f"Film {number}",
        "Series": SERIES[number % 2],
        "Showtime": FIRST + timedelta(hours=number),
        "SeatsAvailable": number,
    }
    entity = Entity()
    for name, value in values.items():
        entity.set_property(name, value, ValueType.PRIMITIVE, TYPES[name])
    return entity


def main():
    odata = OData.new_instance()
    handler = odata.create_handler(odata.create_service_metadata(Provider()))
    store = InMemoryDataStore()
    store.set_entities("Sessions", [session(number) for number in range(300)])
    handler.register(InMemoryProcessor(store))
    with simple_server.make_server("127.0.0.1", int(sys.argv[1]), ODataWSGIApp(handler)) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
