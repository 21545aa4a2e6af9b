"""How a gateway's references become things: each by itself, so that a bad one spoils no other."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import strawberry
from strawberry.federation import Schema as FederatedSchema
from strawberry.federation.schema import FederationAny
from strawberry.federation.schema_directives import Key
from strawberry.types.base import StrawberryObjectDefinition

from models import errors

#: So many references at most are taken at once; a gateway sends each once, however often it is met.
MOST = 500
_HINT = "`_service { sdl }` has the entities and the keys of each."


@dataclass(frozen=True, slots=True)
class _Entity:
    """A type whose things others refer to: how one is found, and by which fields, one at a time."""

    find: Callable[..., Any]
    keys: tuple[str, ...]

    async def found(self, info: strawberry.Info, reference: Mapping[str, object]) -> object:
        """Return what is referred to, by the first of its keys that the reference has."""
        for name in self.keys:
            key = reference.get(name)
            if isinstance(key, str):
                found = self.find(info=info, **{name: key})
                return await found if inspect.isawaitable(found) else found
        wanted = " or ".join(f"`{name}`" for name in self.keys)
        raise errors.BadInputError(f"A reference to such a thing gives its {wanted}.", _HINT)


class Subgraph(FederatedSchema):
    """A federated schema that finds what gateways refer to.

    What cannot be found is null, and what is no reference is null with an error of its own; those
    beside it are found all the same.
    """

    async def entities_resolver(  # type: ignore[override]  # what is awaited is awaited here
        self, info: strawberry.Info, representations: list[FederationAny]
    ) -> list[FederationAny]:
        """Return what each reference is to, or its error, in their order; all are sought at once.

        Raises:
            BadInputError: there are too many.
        """
        if len(representations) > MOST:
            raise errors.BadInputError(
                f"`representations` has {len(representations)}; at most {MOST} may be asked."
            )
        sought = (self._referred(info, one) for one in representations)
        found: list[Any] = await asyncio.gather(*sought, return_exceptions=True)
        return found

    async def _referred(self, info: strawberry.Info, reference: object) -> object:
        if not isinstance(reference, dict):
            raise errors.BadInputError("A reference is an object.", _HINT)
        name = reference.get("__typename")
        entity = self._entities.get(name) if isinstance(name, str) else None
        if entity is None:
            raise errors.BadInputError("This refers to no entity of this graph.", _HINT)
        return await entity.found(info, reference)

    @cached_property
    def _entities(self) -> Mapping[str, _Entity]:
        kinds = {name: kind.definition for name, kind in self.schema_converter.type_map.items()}
        return {
            name: _Entity(kind.origin.resolve_reference, keys)
            for name, kind in kinds.items()
            if isinstance(kind, StrawberryObjectDefinition) and (keys := _keys(kind))
        }


def _keys(kind: StrawberryObjectDefinition) -> tuple[str, ...]:
    return tuple(str(one.fields) for one in kind.directives or () if isinstance(one, Key))
