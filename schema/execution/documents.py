"""The documents that a request need not send whole, and those that alone are run."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from models import errors
from models.document import Sent
from resolvers.document import Published, hash_of
from schema.execution.review import Review

#: Of the texts that clients have kept here, so many characters in all; the last used stay.
MOST_KEPT = 4_000_000

_HASH = re.compile(r"[0-9a-f]{64}")
_PREFIX = "sha256:"
_PERSISTED = "persistedQuery"
#: By what a request names the application that sends it, and its version; the first counts.
_NAMED_BY = (
    ("x-greenway-app", "x-greenway-app-version"),
    ("graphql-client-name", "graphql-client-version"),
    ("apollographql-client-name", "apollographql-client-version"),
)


@dataclass(frozen=True, slots=True)
class Client:
    """The application that a request says it comes from; nothing proves it."""

    name: str = ""
    version: str = ""

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Client:
        """Return the application that headers name, fit to be shown."""
        for name, version in _NAMED_BY:
            if said := headers.get(name):
                return cls(errors.shown(said), errors.shown(headers.get(version, "")))
        return NOBODY

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


NOBODY = Client()
_log = logging.getLogger("greenway.documents")


class Documents:
    """Finds the text that a request means, by its hash too.

    Args:
        published: What applications published.
        holds: Says whether a text may be run at all; what may not is not kept.
        trusted_only: Run what applications published, and nothing else.
    """

    def __init__(
        self, published: Published, holds: Callable[[str], bool], *, trusted_only: bool = False
    ) -> None:
        self.trusted_only = trusted_only
        self._published = published
        self._holds = holds
        self._kept: OrderedDict[str, str] = OrderedDict()
        self._characters = 0

    async def begun(self) -> None:
        """Have looked at what is published; ``resolved`` needs that once."""
        await self._published.begun()

    def concern(
        self, query: str | None, document_id: object, extensions: Mapping[str, object] | None
    ) -> bool:
        """Say whether ``resolved`` must be asked; a plain text is what it is, unless it is not."""
        return (
            self.trusted_only
            or not query
            or document_id is not None
            or (extensions is not None and _PERSISTED in extensions)
        )

    def resolved(
        self,
        query: str | None,
        document_id: object = None,
        extensions: Mapping[str, object] | None = None,
        *,
        client: Client = NOBODY,
        explores: bool = False,
    ) -> str:
        """Return the text to run.

        Args:
            query: The text, where it was sent.
            document_id: Its hash, as GraphQL over HTTP has it: ``sha256:…``.
            extensions: May have its hash as Apollo's clients send it.
            client: Who says it sends this, for the sentence of a refusal.
            explores: Whether who asks may run what nobody published.

        Raises:
            BadInputError: the hash is none, or is not that of the text.
            UnknownDocumentError: no text is kept under this hash.
            UntrustedDocumentError: nobody published it, where that is needed.
        """
        hash_ = _hash(document_id, extensions)
        text = query if hash_ is None else self._found(hash_, query)
        if self.trusted_only and not explores and text not in self._published.texts:
            raise errors.UntrustedDocumentError(str(client))
        if not text:
            raise errors.UnknownDocumentError
        return text

    def _found(self, hash_: str, query: str | None) -> str | None:
        if query:
            if hash_of(query) != hash_:
                raise errors.BadInputError("The hash sent is not the SHA-256 of `query`.")
            if hash_ not in self._published.by_hash:
                self._keep(hash_, query)
            return query
        if published := self._published.by_hash.get(hash_):
            return published
        if hash_ in self._kept:
            self._kept.move_to_end(hash_)
        return self._kept.get(hash_)

    def _keep(self, hash_: str, text: str) -> None:
        if hash_ in self._kept or not self._holds(text):
            return
        self._kept[hash_] = text
        self._characters += len(text)
        while self._characters > MOST_KEPT:
            self._characters -= len(self._kept.popitem(last=False)[1])


async def warn(review: Review, published: Sequence[Sent]) -> None:
    """Tell the log which published documents do not hold; nobody waits for that."""
    for one in await asyncio.to_thread(review.broken, published):
        _log.warning("a published document does not hold: %s", one)


def _hash(document_id: object, extensions: Mapping[str, object] | None) -> str | None:
    """Return the hash that a request names a document by, if it does."""
    if document_id is not None:
        return _checked("documentId", str(document_id).removeprefix(_PREFIX))
    said = (extensions or {}).get(_PERSISTED)
    if said is None:
        return None
    if not isinstance(said, dict) or said.get("version") != 1:
        raise errors.BadInputError(f"`extensions.{_PERSISTED}` has `version: 1` and `sha256Hash`.")
    return _checked(f"extensions.{_PERSISTED}.sha256Hash", said.get("sha256Hash"))


def _checked(where: str, hash_: object) -> str:
    if isinstance(hash_, str) and _HASH.fullmatch(hash_):
        return hash_
    raise errors.BadInputError(f"`{where}` is no SHA-256: 64 digits and small letters `a` to `f`.")
