"""Signatures of whole HTTP requests (RFC 9421): who sent this one, to us, just now, as it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import http_message_signatures as signatures
from joserfc.jwk import ECKey

from credentials.flaw import Flaw, NotGenuineError

#: What a signature must cover: the whole request but for headers that say nothing to the hub.
COMPONENTS = ("@method", "@authority", "@target-uri", "content-digest")
#: A signature holds no longer, in seconds; and clocks may differ by so much.
MOST_AGE_SECONDS = 60
LEEWAY_SECONDS = 10
#: A request with longer headers is refused unread, in characters.
MOST_LENGTH = 16_384

_ALGORITHM = signatures.algorithms.ECDSA_P256_SHA256


class _Fields(tuple[tuple[str, str], ...]):
    """Header fields as they came, in which a name may stand twice."""

    __slots__ = ()

    def items(self) -> Iterable[tuple[str, str]]:
        return self


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    headers: Any


class _Resolver(signatures.HTTPSignatureKeyResolver):
    def __init__(self, keys: Callable[[str], ECKey | None]) -> None:
        self._keys = keys

    def resolve_public_key(self, key_id: str) -> Any:  # noqa: ANN401 - the library's signature
        key = self._keys(key_id)
        return key.public_key if key else None

    def resolve_private_key(self, key_id: str) -> Any:  # noqa: ANN401 - the library's signature
        key = self._keys(key_id)
        return key.private_key if key else None


class _Verifier(signatures.HTTPMessageVerifier):
    """The library's, but for the clock: it reads its own, and lets a signature live for a day."""

    now: datetime

    def validate_created_and_expires(self, sig_input: Any, max_age: object = None) -> None:  # noqa: ANN401, ARG002 - the library's signature
        created = sig_input.params.get("created")
        if created is None:
            raise NotGenuineError(Flaw.MALFORMED)
        age = self.now.timestamp() - created
        if age < -LEEWAY_SECONDS:
            raise NotGenuineError(Flaw.NOT_YET_VALID)
        if age > min(MOST_AGE_SECONDS, sig_input.params.get("expires", math.inf) - created):
            raise NotGenuineError(Flaw.STALE)


def sign(
    key: ECKey, key_id: str, *, method: str, url: str, body: bytes, now: datetime
) -> dict[str, str]:
    """Return the headers that sign a request: what a partner adds to its own."""
    said: dict[str, str] = {}
    signer = signatures.HTTPMessageSigner(
        signature_algorithm=_ALGORITHM, key_resolver=_Resolver(lambda _: key)
    )
    signer.sign(
        _Request(method, url, said),
        key_id=key_id,
        created=now,
        covered_component_ids=COMPONENTS[:-1],  # the library adds the body's digest
        body=body,
    )
    return said


def check(
    *,
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    keys: Callable[[str], ECKey | None],
    now: datetime,
) -> str:
    """Return the id of the key that signed a request, of these keys.

    Args:
        method: The request's, in capitals.
        url: Where it was sent, whole, as the sender wrote it.
        headers: All of its header fields, as often as they came.
        body: Its body, as it came.
        keys: Finds a key by its id.
        now: When it came.

    Raises:
        NotGenuineError: no such key has signed it, or not whole, not just now, or somebody else
            has signed it as well.
    """
    fields = _Fields(headers)
    if sum(len(value) for _, value in fields) > MOST_LENGTH:
        raise NotGenuineError(Flaw.TOO_LARGE)
    verifier = _Verifier(signature_algorithm=_ALGORITHM, key_resolver=_Resolver(keys))
    verifier.now = now
    try:
        (found,) = verifier.verify(
            _Request(method, url, fields), require_components=COMPONENTS, body=body
        )
    except signatures.HTTPMessageSignaturesException:
        raise NotGenuineError(Flaw.BAD_SIGNATURE) from None
    return str(found.parameters["keyid"])
