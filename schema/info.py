"""The one Info that resolvers of fields are given: strawberry's, with our context."""

from __future__ import annotations

import strawberry

from resolvers.context import Context

Info = strawberry.Info[Context, None]
