"""How often holders may have codes and credentials made: more often than anybody shows them."""

from __future__ import annotations

from models import errors
from resolvers.context import Context
from resolvers.limit import Limit

#: Live codes of one holder; a phone renews its own every half minute.
CODES = Limit("codes", 1.0, 30)
#: Passes and batches of portable credentials of one holder: each takes a place in a status list.
CREDENTIALS = Limit("credentials", 60 / 3600, 60)


async def enough(context: Context, limit: Limit) -> None:
    """Count one of these for the viewer.

    Raises:
        TooOftenError: there were too many.
    """
    if wait := await context.authority.limits.take(limit, context.holder().handle):
        raise errors.TooOftenError(wait)
