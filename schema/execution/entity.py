"""How a gateway's references become things: each by itself, so that a bad one spoils no other."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import graphql
import strawberry
from strawberry.federation import Schema as FederatedSchema
from strawberry.federation.schema import FederationAny
from strawberry.federation.schema_directives import Cost, Key, Requires
from strawberry.types.base import StrawberryObjectDefinition, get_object_definition
from strawberry.types.fields.resolver import StrawberryResolver

from models import errors
from schema import cost
from schema.caching import PUBLIC

#: So many references at most are taken at once; a gateway sends each once, however often it is met.
MOST = 500
_HINT = "`_service { sdl }` has the entities and the keys of each."

#: The fields that a key is made of, and those inside of each.
_Shape = Mapping[str, "_Shape"]


@dataclass(frozen=True, slots=True)
class _Entity:
    """A type whose things others refer to: how one is found, and by which keys, one at a time."""

    find: Callable[..., Any]
    keys: tuple[_Shape, ...]
    #: What a gateway brings from elsewhere, for the fields that are worked out of it.
    brought: frozenset[str]

    async def found(self, info: strawberry.Info, reference: Mapping[str, object]) -> object:
        """Return what is referred to, by the first of its keys that the reference has."""
        for key in self.keys:
            if _has(reference, key):
                wanted = key.keys() | self.brought
                given = {name: value for name, value in reference.items() if name in wanted}
                found = self.find(info=info, **given)
                return await found if inspect.isawaitable(found) else found
        keys = " or ".join(map(_told, self.keys))
        raise errors.BadInputError(f"A reference to such a thing gives its {keys}.", _HINT)


class Subgraph(FederatedSchema):
    """A federated schema that finds what gateways refer to, and prints its contract but once.

    What cannot be found is null, and what is no reference is null with an error of its own; those
    beside it are found all the same.
    """

    def _get_federation_query_type(self, *given: Any) -> type:  # noqa: ANN401 - strawberry's own
        """Return what may be asked, with what gateways ask as strawberry has it, at its price."""
        query = super()._get_federation_query_type(*given)
        fields = {one.name: one for one in get_object_definition(query, strict=True).fields}
        [sdl] = get_object_definition(fields["_service"].type, strict=True).fields
        fields["_service"].directives = sdl.directives = [PUBLIC]
        # A contract of an older version says nothing of costs.
        if self.federation_version >= Cost.minimum_version:
            sdl.directives = [PUBLIC, cost.PRINTED]
            if "_entities" in fields:
                fields["_entities"].directives = [cost.REFERRED]
        sdl.base_resolver = StrawberryResolver(lambda: self._printed)
        return query

    @cached_property
    def _printed(self) -> str:
        return self.as_str()

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
            name: _Entity(kind.origin.resolve_reference, keys, _brought(kind))
            for name, kind in kinds.items()
            if isinstance(kind, StrawberryObjectDefinition) and (keys := _keys(kind))
        }


def _keys(kind: StrawberryObjectDefinition) -> tuple[_Shape, ...]:
    return tuple(_shape(one.fields) for one in kind.directives or () if isinstance(one, Key))


def _brought(kind: StrawberryObjectDefinition) -> frozenset[str]:
    directives = (one for field in kind.fields for one in field.directives)
    return frozenset().union(
        *(_shape(one.fields) for one in directives if isinstance(one, Requires))
    )


def _shape(fields: object) -> _Shape:
    """Return the shape of a set of fields, which is written as a selection without its braces."""
    [operation] = graphql.parse(f"{{ {fields} }}", no_location=True).definitions
    return _selected(operation)


def _selected(node: Any) -> _Shape:  # noqa: ANN401 - whatever of a document has a selection
    found = node.selection_set.selections if node.selection_set else ()
    return {one.name.value: _selected(one) for one in found}


def _has(reference: Mapping[str, object], key: _Shape) -> bool:
    """Say whether a reference has the fields of a key, each a text at last."""
    return all(_is(reference.get(name), inside) for name, inside in key.items())


def _is(value: object, inside: _Shape) -> bool:
    if inside:
        return isinstance(value, dict) and _has(value, inside)
    return isinstance(value, str)


def _told(key: _Shape) -> str:
    return " with ".join(f"`{name}`" for name in key)
