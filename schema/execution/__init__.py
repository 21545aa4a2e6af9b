"""How a document is run: GraphQL over HTTP, limits, and what is said of errors.

``Schema`` reads, limits, times and settles; ``GraphQLView`` is its ASGI application, and
``GraphQLSocket`` the one for sockets; ``Live`` and ``Streams`` answer in parts, on ``Seats``;
``Limits`` holds every bound; ``Code`` lists what the endpoint itself says went wrong.
"""

from schema.execution.answer import Surroundings
from schema.execution.code import Code
from schema.execution.departure import Departure
from schema.execution.http import CHALLENGE, GraphQLView
from schema.execution.ide import ASSETS, ASSETS_URL
from schema.execution.limits import Limits
from schema.execution.live import Live
from schema.execution.schema import Schema
from schema.execution.seat import Seats
from schema.execution.sent import WHOLE, fields
from schema.execution.socket import GraphQLSocket, SocketLimits
from schema.execution.stream import Streams

__all__ = [
    "ASSETS",
    "ASSETS_URL",
    "CHALLENGE",
    "WHOLE",
    "Code",
    "Departure",
    "GraphQLSocket",
    "GraphQLView",
    "Limits",
    "Live",
    "Schema",
    "Seats",
    "SocketLimits",
    "Streams",
    "Surroundings",
    "fields",
]
