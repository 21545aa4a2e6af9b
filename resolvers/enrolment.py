"""How partners become verifiers: what they are registered as, and the keys they are given."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from joserfc.jwk import ECKey

from credentials import api_key, compact, es256, rotation
from credentials.flaw import NotGenuineError
from eligibility import disclosure
from models import errors
from models import verifier as rows
from models.database import Session
from models.verifier import KeySort, Profile, Scope, Verifier, VerifierKey
from resolvers import verifier
from resolvers.authority import Authority
from resolvers.directory import Asking, Directory

#: So many keys of a sort and a world are in force at once: the one, and the one that follows it.
MOST_KEYS = 2
TIERS = (1, 2, 3)

_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
_MOST_TEXT = 200
_REGISTERED = "This key is registered already; one that ended never returns."


@dataclass(frozen=True, slots=True)
class Known:
    """A verifier with all keys it ever had, in the order they were added."""

    row: Verifier
    keys: Sequence[VerifierKey]


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be added: ``public`` is a JWK in JSON, ``name`` a certificate's thumbprint."""

    sort: KeySort
    live: bool
    public: str = ""
    name: str = ""


async def everybody(directory: Directory) -> list[Known]:
    """Return all verifiers, by code."""
    async with directory.database.session() as session:
        verifiers, keys = await rows.history(session)
    return [Known(one, [key for key in keys if key.verifier_id == one.id]) for one in verifiers]


async def register(
    directory: Directory, profile: Profile, menu: Collection[str], now: datetime
) -> Known:
    """Register a verifier; ``menu`` is the services there are, by code.

    Raises:
        CodeTakenError: another one is so called.
        NotGrantableError: its kind and tier may not do what it is to do.
        UnknownCodeError: there is no such service.
        BadInputError: a text is no such text.
    """
    _check(profile, menu)
    async with directory.database.begin() as session:
        if await rows.locked(session, profile.code) is not None:
            raise errors.CodeTakenError(profile.code)
        row = rows.registered(profile, now)
        try:
            await rows.add(session, row)
        except rows.TakenError:
            raise errors.CodeTakenError(profile.code) from None
    await directory.refreshed()
    return Known(row, [])


async def change(
    directory: Directory, code: str, changes: Mapping[str, Any], menu: Collection[str]
) -> Known:
    """Change what a verifier is registered as, by the fields of ``Profile``.

    Raises:
        UnknownCodeError: there is no such verifier, or no such service.
        NotGrantableError, BadInputError: as for ``register``.
    """

    def act(row: Verifier) -> None:
        profile = replace(rows.profile(row), **changes)
        _check(profile, menu)
        rows.change(row, profile)

    return await _changed(directory, code, act)


async def suspend(directory: Directory, code: str, now: datetime) -> Known:
    """Take a verifier out of force: within a second, no process hears it any more.

    Raises:
        UnknownCodeError: there is no such verifier.
    """

    def act(row: Verifier) -> None:
        row.suspended_at = row.suspended_at or now

    return await _changed(directory, code, act)


async def resume(directory: Directory, code: str) -> Known:
    """Bring a verifier back into force, with the keys it had.

    Raises:
        UnknownCodeError: there is no such verifier.
    """

    def act(row: Verifier) -> None:
        row.suspended_at = None

    return await _changed(directory, code, act)


async def add_key(
    directory: Directory, code: str, new: NewKey, now: datetime
) -> tuple[VerifierKey, str | None]:
    """Give a verifier a key; return it and, where it is an API key, its text, which nobody keeps.

    Raises:
        UnknownCodeError: there is no such verifier.
        BadKeyError: what is given is no such key, or is somebody's already.
        TooManyKeysError: it has as many of this sort as there may be.
    """
    text = api_key.new(live=new.live) if new.sort is KeySort.API_KEY else None
    key = api(text, now) if text is not None else _given(new, now)
    await keep(directory, code, key)
    return key, text


async def keep(directory: Directory, code: str, key: VerifierKey) -> None:
    """Keep a verifier's key; raises as ``add_key``."""
    async with directory.database.begin() as session:
        row = await _locked(session, code)
        await _add(session, row, key)
    await directory.refreshed()


async def end_key(directory: Directory, code: str, name: str, now: datetime) -> VerifierKey:
    """End a key of a verifier for good; one that has ended stays as it is.

    Raises:
        UnknownCodeError: there is no such verifier, or it has no such key.
    """
    async with directory.database.begin() as session:
        row = await _locked(session, code)
        keys = {one.name: one for one in await rows.keys_of(session, row)}
        if name not in keys:
            raise errors.UnknownCodeError("key", name, keys)
        keys[name].ended_at = keys[name].ended_at or now
    await directory.refreshed()
    return keys[name]


async def rotate(
    authority: Authority, asking: Asking, current: str, following: str, *, end: bool
) -> VerifierKey:
    """Take a new key from a verifier, signed by one in force and by itself.

    ``end`` is whether the one in force ends with it; else both are, until one is ended.

    Raises:
        BadKeyError: the two statements do not hold, or the key is somebody's already.
        TooManyKeysError: the verifier has two keys, and none is to end.
    """
    now = authority.clock()

    def key(kid: str) -> ECKey | None:
        found = verifier.in_force(authority, kid, KeySort.JWK)
        mine = found and authority.verifiers.of(found).code == asking.code
        return es256.public_key(found.public) if found and mine else None

    try:
        kid, new = rotation.check(
            current, following, key, client=asking.code, issuer=authority.issuer, now=now
        )
    except NotGenuineError:
        raise errors.BadKeyError("These two statements do not bring a key.") from None
    async with authority.database.begin() as session:
        await verifier.spend(session, asking)
        row = await _locked(session, asking.code)
        old = {one.name: one for one in await rows.keys_of(session, row)}[kid]
        if old.ended_at is not None:
            raise errors.BadKeyError("The key that signed has ended.")
        if end:
            old.ended_at = now
        added = _jwk(new, live=old.live, now=now)
        await _add(session, row, added)
    await authority.verifiers.refreshed()
    return added


def api(text: str, now: datetime) -> VerifierKey:
    """Return what is kept of an API key."""
    said = api_key.read(text)
    return _key(KeySort.API_KEY, said.id, now, live=said.live, digest=said.digest.hex())


def _given(new: NewKey, now: datetime) -> VerifierKey:
    if new.sort is KeySort.JWK:
        try:
            said = compact.json_object(new.public.encode())
            return _jwk(es256.public_key(said), live=new.live, now=now)
        except NotGenuineError:
            raise errors.BadKeyError("This is no public JWK of a P-256 key.") from None
    if not _THUMBPRINT.fullmatch(new.name):
        raise errors.BadKeyError("This is no SHA-256 thumbprint of a certificate, in base64url.")
    return _key(KeySort.CERTIFICATE, new.name, now, live=new.live)


def _jwk(key: ECKey, *, live: bool, now: datetime) -> VerifierKey:
    public = key.as_dict(private=False)
    return _key(KeySort.JWK, key.thumbprint(), now, live=live, public=public)


def _key(
    sort: KeySort,
    name: str,
    now: datetime,
    *,
    live: bool,
    digest: str | None = None,
    public: Mapping[str, Any] | None = None,
) -> VerifierKey:
    return VerifierKey(
        sort=sort, name=name, live=live, digest=digest, public=public, created_at=now, ended_at=None
    )


async def _add(session: Session, row: Verifier, key: VerifierKey) -> None:
    alike = [
        one
        for one in await rows.keys_of(session, row)
        if (one.sort, one.live, one.ended_at) == (key.sort, key.live, None)
    ]
    if len(alike) >= MOST_KEYS:
        raise errors.TooManyKeysError(MOST_KEYS)
    if await rows.key(session, key.name) is not None:
        raise errors.BadKeyError(_REGISTERED)
    key.verifier_id = row.id
    try:
        await rows.add(session, key)
    except rows.TakenError:
        raise errors.BadKeyError(_REGISTERED) from None


async def _changed(directory: Directory, code: str, act: Callable[[Verifier], None]) -> Known:
    async with directory.database.begin() as session:
        row = await _locked(session, code)
        act(row)
        keys = await rows.keys_of(session, row)
    await directory.refreshed()
    return Known(row, keys)


async def _locked(session: Session, code: str) -> Verifier:
    found = await rows.locked(session, code)
    if found is None:
        raise errors.UnknownCodeError("verifier", code, await rows.codes(session))
    return found


def _check(profile: Profile, menu: Collection[str]) -> None:
    for name, text in (("name", profile.name), ("contact", profile.contact)):
        if not 0 < len(text.strip()) <= _MOST_TEXT:
            raise errors.BadInputError(f"`{name}` has between 1 and {_MOST_TEXT} characters.")
    if not _CODE.fullmatch(profile.code) or len(profile.code) > _MOST_TEXT:
        raise errors.BadInputError("`code` is small letters and digits, with hyphens between.")
    if profile.tier not in TIERS:
        raise errors.BadInputError("`tier` is 1, 2 or 3.")
    _check_scopes(profile)
    for one in profile.services:
        if one not in menu:
            raise errors.UnknownCodeError("service", one, menu)


def _check_scopes(profile: Profile) -> None:
    # Which world a verifier sees, its keys say.
    most = disclosure.grantable(profile.kind, profile.tier) - {Scope.SANDBOX}
    if too_much := set(profile.scopes) - most:
        raise errors.NotGrantableError(_sorted(too_much), _sorted(most))


def _sorted(scopes: Iterable[Scope]) -> list[Scope]:
    return sorted(scopes, key=list(Scope).index)
