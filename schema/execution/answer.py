"""Answers as they are sent, and those that are kept because they are the same for everybody."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Protocol

import orjson

from schema.execution import packing

Headers = tuple[tuple[bytes, bytes], ...]

_NOT_MODIFIED = HTTPStatus.NOT_MODIFIED
#: So many bytes of answers are kept, and none that is larger than a part of that.
MOST_BYTES = 8 * 1024 * 1024
_MOST_OF_ONE = MOST_BYTES // 8
#: What keeping an answer takes beside its body and its key.
_OVERHEAD = 1_000


@dataclass(slots=True)
class Answer:
    """One answer: its status, its headers but for that of its length, and its body."""

    status: int
    headers: Headers
    body: bytes

    def told(self, more: Headers) -> list[tuple[bytes, bytes]]:
        """Return its headers, with that of its length and with more of them."""
        length = [(b"content-length", b"%d" % len(self.body))] if self._has_length() else []
        return [*self.headers, *length, *more]

    def head(self, more: Headers) -> bytes:
        """Return the same as HTTP has it before the body."""
        lines = _lines(self.headers, more)
        if self._has_length():
            return b"%scontent-length: %d\r\n\r\n" % (lines, len(self.body))
        return lines + b"\r\n"

    def _has_length(self) -> bool:
        # That nothing is new says nothing of how long it is.
        return self.status != _NOT_MODIFIED

    def trimmed(self) -> Answer:
        """Return it in no more memory than it has bytes: orjson takes at least 4 KB for any."""
        return replace(self, body=memoryview(self.body).tobytes())

    def packed(self, coding: str | None) -> Answer:
        """Return it packed by a coding; as it is where there is none, or that is not worth it."""
        if coding is None or len(self.body) < packing.LEAST_BYTES:
            return self
        headers = [(b"content-encoding", coding.encode())]
        for name, value in self.headers:
            # Another representation has another tag.
            tag = b'%s-%s"' % (value[:-1], coding.encode())
            headers.append((name, tag if name == b"etag" else value))
        return Answer(self.status, tuple(headers), packing.CODINGS[coding](self.body))

    @classmethod
    def of(cls, status: int, media: str, content: object, *more: tuple[bytes, bytes]) -> Answer:
        """Return the answer that gives some content as JSON."""
        return cls(status, (_typed(media), *more), orjson.dumps(content))


@lru_cache(maxsize=64)
def _lines(headers: Headers, more: Headers) -> bytes:
    return b"".join(b"%s: %s\r\n" % one for one in (*headers, *more))


@lru_cache(maxsize=8)
def _typed(media: str) -> tuple[bytes, bytes]:
    return b"content-type", b"%s; charset=utf-8" % media.encode()


def headers(said: Mapping[str, str]) -> Headers:
    """Return headers as they are sent."""
    return tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in said.items())


def etag(body: bytes, media: str) -> str:
    """Return what tells an answer from others at the same place (RFC 9110, section 8.8.3)."""
    return f'"{hashlib.blake2b(body, digest_size=12, person=media[-16:].encode()).hexdigest()}"'


class Holding(Protocol):
    """How long an answer holds."""

    def holds(self, now: datetime) -> bool:
        """Say whether it does yet."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer with what is told of its operation: what it costs, and how it is called.

    It holds as long as its edition, if not shorter.
    """

    answer: Answer
    points: int
    called: str | None
    holding: Holding | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What answers are kept for.

    ``edition`` returns what those hold for that are the same for everybody: another object where
    that is another; None where no answer may be kept. ``charge`` charges whoever shows nobody, at
    an address, for an answer that was kept; it raises RateLimitedError. ``clock`` tells the time.
    """

    edition: Callable[[], object | None] = lambda: None
    charge: Callable[[str, int], None] = lambda _address, _points: None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(slots=True)
class Answers:
    """The answers of one edition: what holds until a menu, a partner or the day is another.

    Nothing is ever looked through for what is no longer true: with another edition all goes.
    """

    around: Surroundings = field(default_factory=Surroundings)
    most_bytes: int = MOST_BYTES
    _edition: object = None
    _kept: dict[Hashable, tuple[Answered, int]] = field(default_factory=dict)
    _bytes: int = 0

    def get(self, edition: object, key: Hashable) -> Answered | None:
        """Return the answer that is kept under a key, if it is of this edition."""
        if edition is not self._edition:
            return None
        found = self._kept.pop(key, None)
        if found is None:
            return None
        holding = found[0].holding
        if holding is not None and not holding.holds(self.around.clock()):
            self._bytes -= found[1]
            return None
        # The last used is the last to go.
        self._kept[key] = found
        return found[0]

    def keep(self, edition: object, keys: Mapping[Hashable, int], found: Answered) -> None:
        """Keep an answer of an edition under each of these keys, which have these sizes."""
        if found.holding is not None and not found.holding.holds(self.around.clock()):
            return
        if edition is not self._edition:
            self._edition, self._bytes = edition, 0
            self._kept.clear()
        if len(found.answer.body) > _MOST_OF_ONE:
            return
        found = replace(found, answer=found.answer.trimmed())
        for key, size in keys.items():
            if key in self._kept:
                self._bytes -= self._kept.pop(key)[1]
            taken = size + len(found.answer.body) + _OVERHEAD
            self._kept[key] = found, taken
            self._bytes += taken
        while self._bytes > self.most_bytes:
            self._bytes -= self._kept.pop(next(iter(self._kept)))[1]
