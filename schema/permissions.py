"""Who may ask a field: checked before it resolves; a denied field is null, with a coded error."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry.permission import BasePermission, PermissionExtension

from resolvers.context import Context
from resolvers.viewer import ADMINS, HOLDERS, OFFICERS, OPERATORS, VERIFIERS, Role


class Gate(PermissionExtension):
    """A permission that a planned field asks for by itself, without the extension around it."""

    def __init__(self, roles: frozenset[Role], **parts: Any) -> None:  # noqa: ANN401 - strawberry's
        super().__init__(**parts)
        self._roles = roles

    def admit(self, context: Context) -> None:
        """Let a query's viewer pass, or raise as ``Viewer.require``."""
        context.viewer.require(self._roles)


def only(roles: frozenset[Role]) -> PermissionExtension:
    """Return the extension of a field that only these roles may ask.

    A denial says which roles may, never whether there was something to see.
    """

    class Only(BasePermission):
        def has_permission(self, source: object, info: strawberry.Info, **kwargs: Any) -> bool:  # noqa: ANN401, ARG002 - strawberry's signature
            info.context.viewer.require(roles)
            return True

    return Gate(roles, permissions=[Only()], use_directives=False)


def holders() -> PermissionExtension:
    """Return the extension of a field for people themselves."""
    return only(HOLDERS)


def officers() -> PermissionExtension:
    """Return the extension of a field for officers, who look after people."""
    return only(OFFICERS)


def operators() -> PermissionExtension:
    """Return the extension of a field for those who look after connectors."""
    return only(OPERATORS)


def admins() -> PermissionExtension:
    """Return the extension of a field for those who decide whom the hub asks."""
    return only(ADMINS)


def verifiers() -> PermissionExtension:
    """Return the extension of a field for partners; those alone that come with keys of theirs."""
    return only(VERIFIERS)
