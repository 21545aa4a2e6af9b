"""A trace of one operation for the gateway before the hub: which field took how long, and failed.

Gateways of Apollo Federation ask their subgraphs for it by a header, and join what they are told
to the trace of the whole query. Its form is the message ``Trace`` of Apollo's ``reports.proto``,
in base64 (``ftv1``); of that, fields are the numbers that stand beside their names here.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any

import graphql
import orjson

#: The header by which a gateway asks for a trace, and what it then says.
HEADER, WANTED = "apollo-federation-include-trace", "ftv1"
#: To be taken down costs an operation so many times its points: nothing of it is compiled.
WEIGHT = 20

_NS = 1_000_000_000
_VARINT, _BYTES = 0, 2


@dataclass(slots=True)
class _Node:
    """A field of the answer, or an item of a list, and those inside of it."""

    key: str | int | None = None
    name: str = ""
    parent: str = ""
    kind: str = ""
    began: int = 0
    ended: int = 0
    errors: list[graphql.GraphQLError] = field(default_factory=list)
    inside: dict[str | int, _Node] = field(default_factory=dict)

    def at(self, keys: Iterable[str | int]) -> _Node:
        """Return the one at the end of a path from here, made on the way where it is not there."""
        node = self
        for key in keys:
            if key not in node.inside:
                node.inside[key] = _Node(key)
            node = node.inside[key]
        return node


class Recorder:
    """Notes when the fields of one operation begin and end, beside graphql-core's executor.

    ``resolve`` is a middleware of graphql-core: an operation that is traced runs neither compiled
    nor planned, and one that is not pays nothing.
    """

    def __init__(
        self, clock: Callable[[], int] = time.perf_counter_ns, now: Callable[[], int] = time.time_ns
    ) -> None:
        self._clock = clock
        self._now = now
        self._root = _Node()
        self._began_at = now()
        self._began = clock()

    def resolve(
        self,
        resolver: Callable[..., Any],
        source: object,
        info: graphql.GraphQLResolveInfo[Any],
        **arguments: object,
    ) -> Any:  # noqa: ANN401 - as resolvers return it
        """Resolve a field, and note how long that took; what it raises passes."""
        node = self._root.at(info.path.as_list())
        node.name, node.parent = info.field_name, info.parent_type.name
        node.kind, node.began = str(info.return_type), self._passed()
        try:
            value = resolver(source, info, **arguments)
        finally:
            node.ended = self._passed()
        return self._awaited(value, node) if isawaitable(value) else value

    async def _awaited(self, value: Any, node: _Node) -> Any:  # noqa: ANN401 - as resolvers return it
        try:
            return await value
        finally:
            node.ended = self._passed()

    def told(self, errors: Iterable[graphql.GraphQLError] = ()) -> str:
        """Return the trace of what has ended just now.

        Args:
            errors: Those of the answer, as the asker may see them: a trace says nothing more.
        """
        for error in errors:
            self._root.at(error.path or ()).errors.append(error)
        trace = b"".join(
            (
                _message(3, _timestamp(self._now())),
                _message(4, _timestamp(self._began_at)),
                _number(11, self._passed()),
                _message(14, _node(self._root)),
            )
        )
        return base64.b64encode(trace).decode()

    def _passed(self) -> int:
        return self._clock() - self._began


def _node(node: _Node) -> bytes:
    return b"".join(_parts(node))


def _parts(node: _Node) -> Iterator[bytes]:
    if isinstance(node.key, int):
        # An item says which it is even where it is the first.
        yield _tag(2, _VARINT) + _varint(node.key)
    elif node.key is not None:
        yield _text(1, node.key)
    if node.name:
        yield _text(3, node.kind)
        yield _number(8, node.began)
        yield _number(9, node.ended)
        yield _text(13, node.parent)
        if node.name != node.key:
            yield _text(14, node.name)
    for error in node.errors:
        yield _message(11, _error(error))
    for one in node.inside.values():
        yield _message(12, _node(one))


def _error(error: graphql.GraphQLError) -> bytes:
    places = (
        _message(2, _number(1, one.line) + _number(2, one.column)) for one in error.locations or ()
    )
    told = orjson.dumps(error.formatted)
    return b"".join((_text(1, error.message), *places, _message(4, told)))


def _timestamp(nanoseconds: int) -> bytes:
    return _number(1, nanoseconds // _NS) + _number(2, nanoseconds % _NS)


def _text(number: int, text: str) -> bytes:
    return _message(number, text.encode())


def _message(number: int, content: bytes) -> bytes:
    return _tag(number, _BYTES) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _tag(number, _VARINT) + _varint(value)


def _tag(number: int, sort: int) -> bytes:
    # No number here is above 15, so that a byte has room for it.
    return bytes((number << 3 | sort,))


def _varint(value: int) -> bytes:
    """Return a number in groups of seven bits, the lowest first, all but the last marked."""
    found = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
