"""How a document is run: GraphQL over HTTP, limits, and what is said of errors.

``Schema`` reads, limits, times and settles; ``GraphQLView`` is its ASGI application;
``Limits`` holds every bound; ``Code`` lists what the endpoint itself says went wrong.
"""

from schema.execution.code import Code
from schema.execution.http import CHALLENGE, GraphQLView
from schema.execution.ide import ASSETS, ASSETS_URL
from schema.execution.limits import Limits
from schema.execution.schema import Schema

__all__ = ["ASSETS", "ASSETS_URL", "CHALLENGE", "Code", "GraphQLView", "Limits", "Schema"]
