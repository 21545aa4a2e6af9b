"""The one Info that resolvers of fields are given: strawberry's, with our context."""

from __future__ import annotations

import strawberry

from resolvers.context import Context
from schema.execution.below import Below

Info = strawberry.Info[Context, None]


def named(info: Info, *places: str) -> frozenset[str]:
    """Return the names of the fields that are asked of what the field under way returns.

    ``places`` are the fields between that field and those that are asked about.
    """
    # A planned field knows them.
    if (known := getattr(info, "named", None)) is not None:
        found: frozenset[str] = known(*places)
        return found
    raw = info._raw_info  # noqa: SLF001 - strawberry's own list makes each of them anew
    return Below(raw.field_nodes, raw.fragments).names(*places)
