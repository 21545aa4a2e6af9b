"""What is published through the endpoint: one service more, otherwise or no more, a whole menu."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from models import errors, menu
from models.offer import Capability
from resolvers import publication
from resolvers.context import Context
from resolvers.menu import ChangeKind
from resolvers.publication import Capabilities

_CODE = re.compile(r"(?=.{1,80}$)[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Published:
    """The revision that is in force, and what became of the service; None: it is as it was.

    ``keys`` are those of its file that say something else.
    """

    revision: menu.Revision
    code: str
    kind: ChangeKind | None
    keys: tuple[str, ...]


async def publish(context: Context, code: str, text: str, expected: int) -> Published:
    """Publish the menu in force, whose number is expected, with the service of a text (YAML).

    Where it is in it just so already, nothing is published, whatever was expected.

    Raises:
        BadInputError: it can be no service's code.
        ConflictError: another menu is in force by now.
        MenuMissingError: nothing has been published yet.
        MistakesError: the text has mistakes, or the menu would have some with it.
    """
    if not _CODE.fullmatch(code):
        raise errors.BadInputError(
            f"“{errors.shown(code)}” is no code.",
            "Join lower-case words by hyphens, at most 80 characters.",
        )
    return await _published(context, code, text, expected)


async def withdraw(context: Context, code: str, expected: int) -> Published:
    """Publish the menu in force without a service; ``expected`` is its number.

    Raises:
        ConflictError: another menu is in force by now.
        MenuMissingError: nothing has been published yet.
        MistakesError: something else on the menu names it.
        UnknownCodeError: there is no such service.
    """
    return await _published(context, code, None, expected)


async def _published(context: Context, code: str, text: str | None, expected: int) -> Published:
    async with context.database.session() as session:
        newest = await menu.newest(session)
        if newest is None:
            raise errors.MenuMissingError
        before = await menu.of_revision(session, newest)
    if text is None and code not in (known := [one.code for one in before.services]):
        raise errors.UnknownCodeError("service", code, known)
    # Checking takes as long as the text is large; others are not kept waiting.
    after = await asyncio.to_thread(
        publication.revised, before, code, text, _capabilities(context, before)
    )
    kind, keys = _change(before, after, code)
    if kind is None:
        return Published(newest, code, kind, keys)
    async with context.database.begin() as session:
        await menu.alone(session)
        in_force = await menu.newest(session)
        if in_force is None or not in_force.id == newest.id == expected:
            raise errors.ConflictError(expected, in_force.id if in_force else 0)
        revision = menu.publish(
            session,
            after,
            # The folder is where it was: publishing it unchanged undoes nothing.
            newest.source,
            context.now,
            by=context.viewer.subject,
            service=code,
            text=text,
        )
        await session.flush()
        return Published(revision, code, kind, keys)


def _change(
    before: menu.Menu, after: menu.Menu, code: str
) -> tuple[ChangeKind | None, tuple[str, ...]]:
    was, now = (
        next((one for one in of.services if one.code == code), None) for of in (before, after)
    )
    if was == now:
        return None, ()
    if was is None or now is None:
        return (ChangeKind.ADDED if was is None else ChangeKind.REMOVED), ()
    keys = (key for key in menu.Service.model_fields if getattr(was, key) != getattr(now, key))
    return ChangeKind.CHANGED, tuple(keys)


def _capabilities(context: Context, before: menu.Menu) -> Capabilities:
    """Return what partners may be asked for: those at work, and what the menu asks of others."""
    asked: dict[str, frozenset[Capability]] = {}
    for ask in (ask for service in before.services for ask in service.partners):
        asked[ask.partner] = asked.get(ask.partner, frozenset()) | {ask.capability}
    working = context.registry.partners.items()
    return asked | {slug: one.kind.capabilities for slug, one in working}
