"""Cards that their holders show in part: SD-JWT (RFC 9901) as verifiable credential (draft 19)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
from joserfc.jwk import ECKey

from credentials import base64url, claim, compact, es256
from credentials.flaw import Flaw, NotGenuineError
from credentials.keyring import LIFETIMES, TYPES, Key, Purpose

TYPE = TYPES[Purpose.CARD]
#: What the header of the holder's own signature says it is.
BINDING_TYPE = "kb+jwt"
#: A longer presentation is refused unread, in characters.
MOST_LENGTH = 16_384
MOST_DISCLOSURES = 64
MOST_DEPTH = 8
#: A holder's signature is this old at most, in seconds.
BINDING_SECONDS = 300

_HASH = "sha-256"
_DIGESTS = "_sd"
_ELEMENT = "..."
_SALT_BYTES = 16
_NAMED = 3  # A disclosure of a claim is salt, name, value; of an element, salt and value.
_UNNAMED = 2
#: What a card says of itself: always to be seen, since it decides whether the rest counts.
_OF_ITSELF = frozenset(
    ("iss", "iat", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status", "_sd_alg")
)

#: Finds the key that an issuer calls so, if the issuer is trusted and the key counts.
IssuerKeys = Callable[[str, str], Key | ECKey | None]


@dataclass(frozen=True, slots=True)
class Card:
    """What a card is to say: ``claims`` one by one as the holder chooses, ``plain`` to everybody.

    ``vct`` is its type, ``aka_vcts`` are common types it is as well; ``status_index`` is its
    place in the status list at ``status_uri``.
    """

    issuer: str
    vct: str
    status_index: int
    status_uri: str
    claims: Mapping[str, Any]
    plain: Mapping[str, Any] = field(default_factory=dict)
    aka_vcts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Presented:
    """What a card says that was shown and holds; ``holder`` is the thumbprint of the holder's key.

    Whether it was shown before is asked by its ``nonce``: the same showing has many spellings.
    """

    issuer: str
    vct: str
    aka_vcts: tuple[str, ...]
    status_index: int
    status_uri: str
    claims: Mapping[str, Any]
    holder: str
    issued_at: datetime | None
    expires_at: datetime
    nonce: str


def issue(
    key: Key,
    card: Card,
    *,
    holder: ECKey,
    now: datetime,
    lifetime: timedelta = LIFETIMES[Purpose.CARD],
    decoys: int = 4,
    salt: Callable[[], bytes] = lambda: secrets.token_bytes(_SALT_BYTES),
) -> str:
    """Return a card as its holder keeps it: signed, with a disclosure for each of its claims.

    Args:
        key: The hub's key for cards.
        card: What it says.
        holder: Whose it is: only this key can show it.
        now: When it begins to hold.
        lifetime: How long it holds.
        decoys: So many digests of nothing, lest their number tell how much there is to hide.
        salt: Gives what makes each digest impossible to guess.
    """
    secret = [_disclosure(salt(), name, value) for name, value in card.claims.items()]
    nothing = (base64url.encode(salt()) for _ in range(decoys))
    issued = int(now.timestamp())
    claims = {
        **card.plain,
        "iss": card.issuer,
        "iat": issued,
        "exp": issued + int(lifetime.total_seconds()),
        "vct": card.vct,
        **({"aka_vcts": card.aka_vcts} if card.aka_vcts else {}),
        "cnf": {"jwk": holder.as_dict(private=False)},
        "status": {"status_list": {"idx": card.status_index, "uri": card.status_uri}},
        "_sd_alg": _HASH,
        # In order, so that their places do not tell which is which.
        _DIGESTS: sorted(map(base64url.digest, [*secret, *nothing])),
    }
    return "~".join([compact.sign(key, claims), *secret, ""])


def present(
    card: str,
    wanted: Collection[str],
    *,
    holder: ECKey,
    audience: str,
    nonce: str,
    now: datetime,
) -> str:
    """Return a card as it is shown: the claims that are wanted of it, and the holder's signature.

    Args:
        card: As it was issued.
        wanted: The names of the claims to show.
        holder: The holder's private key.
        audience: To whom it is shown.
        nonce: What they gave, so that it is shown once.
        now: The holder's time.
    """
    token, *secret, _ = card.split("~")
    shown = [one for one in secret if _parts(one)[1] in wanted]
    said = "~".join([token, *shown, ""])
    claims = {
        "iat": int(now.timestamp()),
        "aud": audience,
        "nonce": nonce,
        "sd_hash": base64url.digest(said),
    }
    return said + compact.write(holder, claims, {"alg": "ES256", "typ": BINDING_TYPE})


def verify(
    presentation: str,
    keys: IssuerKeys,
    *,
    vcts: Collection[str],
    audience: str,
    nonce: str,
    now: datetime,
) -> Presented:
    """Return what a card says that is shown here and now, by its holder, and holds.

    Args:
        presentation: The card with what is shown of it and the holder's signature.
        keys: Finds an issuer's key by issuer and key id.
        vcts: Types of card that are accepted; a card that is one of them by another name is too.
        audience: Who we are.
        nonce: What we gave the holder to sign.
        now: The hub's time.

    Raises:
        NotGenuineError: anything at all is not as it must be.
    """
    if len(presentation) > MOST_LENGTH:
        raise NotGenuineError(Flaw.TOO_LARGE)
    said, _, binding = presentation.rpartition("~")
    token, *shown = said.split("~")
    found = compact.parse(token, [TYPE], most_length=MOST_LENGTH)
    issuer = claim.text(found.claims.get("iss"))
    card = found.proved(keys(issuer, found.header["kid"]))
    claim.times(card, now, required=["exp"])
    own, others = _types(card)
    if not {own, *others} & set(vcts):
        raise NotGenuineError(Flaw.WRONG_TYPE)
    holder = es256.public_key(claim.members(card.get("cnf")).get("jwk"))
    _bind(binding, holder, said=f"{said}~", audience=audience, nonce=nonce, now=now)
    claims, open_ = disclosed(card, shown), disclosed(card, [])
    if any(claims[name] != open_[name] for name in claims.keys() & _OF_ITSELF):
        raise NotGenuineError(Flaw.BAD_DISCLOSURE)  # Nor is a part of any of these to be hidden.
    index, uri = _status(card)
    return Presented(
        issuer,
        own,
        others,
        index,
        uri,
        {name: value for name, value in claims.items() if name not in _OF_ITSELF},
        holder.thumbprint(),
        claim.moment(card["iat"]) if "iat" in card else None,
        claim.moment(card["exp"]),
        nonce,
    )


def disclosed(claims: Mapping[str, Any], disclosures: Sequence[str]) -> dict[str, Any]:
    """Return claims with what is disclosed in its place (RFC 9901, section 7.1), and no digests.

    Args:
        claims: As the issuer signed them.
        disclosures: As they were presented.

    Raises:
        NotGenuineError: a disclosure belongs nowhere or in two places, or says what it may not.
    """
    if claims.get("_sd_alg", _HASH) != _HASH:
        raise NotGenuineError(Flaw.WRONG_ALGORITHM)
    if len(disclosures) > MOST_DISCLOSURES:
        raise NotGenuineError(Flaw.TOO_LARGE)
    return _Disclosures(disclosures).whole(claims)


class _Disclosures:
    """Disclosures on their way to their places: each is taken once, and none may be left."""

    def __init__(self, disclosures: Sequence[str]) -> None:
        self._by_digest = {base64url.digest(one): _parts(one) for one in disclosures}
        self._seen: set[str] = set()
        if len(self._by_digest) != len(disclosures):
            raise NotGenuineError(Flaw.BAD_DISCLOSURE)

    def whole(self, claims: Mapping[str, Any]) -> dict[str, Any]:
        found = self._object(claims, 0, _OF_ITSELF)
        if self._by_digest:
            raise NotGenuineError(Flaw.BAD_DISCLOSURE)
        found.pop("_sd_alg", None)
        return found

    def _value(self, value: object, depth: int) -> object:
        if depth > MOST_DEPTH:
            raise NotGenuineError(Flaw.TOO_LARGE)
        if isinstance(value, dict):
            return self._object(value, depth)
        if isinstance(value, list):
            return [self._value(one, depth + 1) for one in self._elements(value)]
        return value

    def _object(
        self, value: Mapping[str, Any], depth: int, forbidden: Collection[str] = ()
    ) -> dict[str, Any]:
        if _ELEMENT in value:
            raise NotGenuineError(Flaw.BAD_DISCLOSURE)
        found = {
            name: self._value(inner, depth + 1) for name, inner in value.items() if name != _DIGESTS
        }
        for _, name, inner in self._taken(value.get(_DIGESTS, []), _NAMED):
            if name in (_DIGESTS, _ELEMENT) or name in forbidden or name in found:
                raise NotGenuineError(Flaw.BAD_DISCLOSURE)
            found[name] = self._value(inner, depth + 1)
        return found

    def _elements(self, values: list[Any]) -> Iterator[Any]:
        for value in values:
            if not isinstance(value, dict) or value.keys() != {_ELEMENT}:
                yield value
            else:
                yield from (inner for _, inner in self._taken([value[_ELEMENT]], _UNNAMED))

    def _taken(self, digests: object, size: int) -> Iterator[list[Any]]:
        for digest in digests if isinstance(digests, list) else [None]:
            if not isinstance(digest, str) or digest in self._seen:
                raise NotGenuineError(Flaw.BAD_DISCLOSURE)
            self._seen.add(digest)
            found = self._by_digest.pop(digest, None)
            if found and len(found) != size:
                raise NotGenuineError(Flaw.BAD_DISCLOSURE)
            if found:
                yield found


def _bind(
    binding: str, holder: ECKey, *, said: str, audience: str, nonce: str, now: datetime
) -> None:
    """Check the holder's signature: of this very presentation, for us, now."""
    found = compact.parse(
        binding, [BINDING_TYPE], most_length=MOST_LENGTH, required=("alg", "typ")
    ).proved(holder)
    claim.times(found, now, required=["iat"])
    if found["iat"] < now.timestamp() - BINDING_SECONDS:
        raise NotGenuineError(Flaw.STALE)
    for name, wanted, flaw in (
        ("aud", audience, Flaw.WRONG_AUDIENCE),
        ("nonce", nonce, Flaw.WRONG_NONCE),
        ("sd_hash", base64url.digest(said), Flaw.BAD_DISCLOSURE),
    ):
        if found.get(name) != wanted:
            raise NotGenuineError(flaw)


def _types(card: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    own, others = claim.text(card.get("vct")), claim.texts(card.get("aka_vcts", []))
    if own in others or card.get("aka_vcts") == []:
        raise NotGenuineError(Flaw.MALFORMED)
    return own, others


def _status(card: Mapping[str, Any]) -> tuple[int, str]:
    """Return where a card's status stands: a card that nobody can revoke is not accepted."""
    found = claim.members(claim.members(card.get("status")).get("status_list"))
    return claim.whole(found.get("idx")), claim.text(found.get("uri"))


def _disclosure(salt: bytes, name: str, value: object) -> str:
    return base64url.encode(orjson.dumps([base64url.encode(salt), name, value]))


def _parts(disclosure: str) -> list[Any]:
    found = compact.json_value(base64url.decode(disclosure))
    if not isinstance(found, list) or len(found) not in (_UNNAMED, _NAMED):
        raise NotGenuineError(Flaw.BAD_DISCLOSURE)
    if not all(isinstance(part, str) for part in found[:-1]):
        raise NotGenuineError(Flaw.BAD_DISCLOSURE)
    return found
