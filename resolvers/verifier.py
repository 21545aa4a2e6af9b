"""Which verifier asks: told by the key that a request shows, and by nothing it says of itself."""

from __future__ import annotations

import functools
import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from joserfc.jwk import ECKey

from credentials import access, api_key, certificate, dpop, es256, message
from credentials.flaw import NotGenuineError
from credentials.keyring import Key, Purpose
from eligibility import disclosure
from models import errors
from models import verifier as rows
from models.database import Session, when_kept
from models.verifier import KeySort, Scope, Verifier, VerifierKey
from resolvers.authority import Authority
from resolvers.directory import Asking
from resolvers.viewer import Role, Viewer

#: What every refused credential hears, whatever is wrong with it: an answer that says more helps
#: those alone who try keys.
REFUSED = "This credential is not accepted."

#: How far apart the clocks of processes may be.
CLOCKS = timedelta(minutes=5)

_API_KEY = "tck_"
_BEARER = "bearer"
_DPOP = "dpop"
_AUTHORIZATION = "authorization"
_SIGNED = ("signature-input", "signature")
#: Access tokens that were read, of which so many are remembered.
_MOST_GRANTS = 10_000
#: What an unknown key's secret is compared with, so that it takes as long.
_NOBODYS = bytes(32)


class NotAcceptedError(errors.UnauthenticatedError):
    """A verifier's credential that does not hold; it does not say why."""

    def __init__(self) -> None:
        super().__init__(REFUSED)


@dataclass(frozen=True, slots=True)
class Shown:
    """A request as far as it shows who sent it.

    ``url`` is where it was sent, as others reach the hub; names of ``headers`` are in small
    letters. ``certificate`` is the one that it came by, as a proxy of ours hands it on (RFC 9440).
    """

    method: str
    url: str
    headers: Sequence[tuple[str, str]]
    body: bytes = b""
    certificate: str | None = None

    def header(self, name: str) -> str | None:
        """Return a header that may stand once; none, where it does not stand.

        Raises:
            NotAcceptedError: it stands twice, and nobody can say which counts.
        """
        found = [value for key, value in self.headers if key == name]
        if len(found) > 1:
            raise NotAcceptedError
        return found[0] if found else None

    @property
    def credential(self) -> tuple[str, str]:
        """The scheme in small letters, and what is shown by it."""
        scheme, _, presented = (self.header(_AUTHORIZATION) or "").partition(" ")
        return scheme.lower(), presented.strip()

    @property
    def by_verifier(self) -> bool:
        """Whether it shows what verifiers show: an API key, or a token with a proof."""
        return is_verifiers(*self.credential)


def is_verifiers(scheme: str, presented: str) -> bool:
    """Say whether a credential, by its scheme in small letters, is one of a verifier's."""
    return scheme == _DPOP or (scheme == _BEARER and presented.startswith(_API_KEY))


def viewer(authority: Authority, shown: Shown, now: datetime) -> Viewer:
    """Return the verifier that sent a request, as somebody asking.

    Raises:
        NotAcceptedError: it shows no verifier's key that is in force, or does not show it so that
            it must have it.
    """
    scheme, presented = shown.credential
    try:
        if scheme == _DPOP:
            asking = _by_token(authority, shown, presented, now)
        else:
            asking = _by_api_key(authority, presented)
    except (NotGenuineError, errors.UnauthenticatedError):
        raise NotAcceptedError from None
    return Viewer(Role.PARTNER, asking.code, sandbox=not asking.live, verifier=asking)


async def spend(session: Session, asking: Asking) -> None:
    """Use up what the request showed; within one request, as often as it takes.

    It is called first in each transaction of the request: where one is undone, the next uses it.

    Raises:
        NotAcceptedError: another request has used it.
    """
    if await used_by_others(session, [asking]):
        raise NotAcceptedError


async def used_by_others(session: Session, askings: Sequence[Asking]) -> list[Asking]:
    """Use up what requests showed, as ``spend``; return those whose was used by another request."""
    first = {one.proof[:2]: one for one in reversed(askings) if one.proof}
    proofs = [one.proof for one in first.values() if one.proof]
    for name in await rows.spend_all(session, proofs):
        first[name].spending = session
        when_kept(session, functools.partial(_note, first[name]))
    return [one for one in askings if one.proof and not (one.spent or one.spending is session)]


def _note(asking: Asking) -> None:
    asking.spent = True


async def forget(authority: Authority) -> None:
    """Forget what was used and would not count any more, by the slowest clock of our processes."""
    async with authority.database.begin() as session:
        await rows.sweep(session, authority.clock() - CLOCKS)


def allowed(row: Verifier, tier: int, *, live: bool) -> frozenset[Scope]:
    """Return what a verifier may do that has shown itself by this tier, with keys of this world.

    Who shows itself by less than it must is heard as a till is.
    """
    most = disclosure.grantable(row.kind, tier if tier >= row.tier else 1)
    granted = most & {Scope(one) for one in row.scopes} - {Scope.SANDBOX}
    return granted if live else granted | {Scope.SANDBOX}


def in_force(authority: Authority, name: str, sort: KeySort) -> VerifierKey | None:
    """Return the key so called, unless it or its verifier is out of force."""
    key = authority.verifiers.keys.get(name)
    if key is None or key.sort is not sort or authority.verifiers.of(key).suspended_at:
        return None
    return key


def thumbprint(shown: Shown) -> str | None:
    """Return the name of the certificate that a request came by, if it did.

    Raises:
        NotGenuineError: what it came by is no certificate.
    """
    return None if shown.certificate is None else certificate.thumbprint(shown.certificate)


def _by_api_key(authority: Authority, presented: str) -> Asking:
    said = api_key.read(presented)
    found = in_force(authority, said.id, KeySort.API_KEY)
    kept = bytes.fromhex(found.digest) if found and found.digest else _NOBODYS
    if not hmac.compare_digest(kept, said.digest) or found is None or found.live is not said.live:
        raise NotAcceptedError
    row = authority.verifiers.of(found)
    return _asking(row, 1, allowed(row, 1, live=found.live), key=found.name)


def _by_token(authority: Authority, shown: Shown, presented: str, now: datetime) -> Asking:
    grant = _granted(authority, presented, now)
    proof = dpop.check(
        shown.header(_DPOP) or "",
        method=shown.method,
        url=shown.url,
        now=now,
        access_token=presented,
    )
    row = authority.verifiers.by_code.get(grant.client)
    if row is None or row.suspended_at or proof.jkt != grant.jkt:
        raise NotAcceptedError
    if grant.x5t is not None and grant.x5t != thumbprint(shown):
        raise NotAcceptedError
    live = Scope.SANDBOX not in grant.scopes
    tier = 3 if _is_signed(authority, shown, row, now, live=live) else 2
    scopes = allowed(row, tier, live=live) & grant.scopes
    spent = (f"dpop:{proof.jkt}", proof.jti, proof.expires_at)
    return _asking(row, tier, scopes, key=proof.jkt, proof=spent)


def _granted(authority: Authority, presented: str, now: datetime) -> access.Grant:
    """Return what an access token allows; what was read of it once counts while its keys do."""
    ring = authority.keys.ring

    def key(kid: str) -> Key | None:
        return ring.verifying(Purpose.ACCESS, kid, now)

    ring_then, grant = authority.grants.get(presented, (None, None))
    # A key that was compromised since makes another ring, and all is read again.
    if grant is not None and ring_then is ring and now < grant.expires_at:
        return grant
    issuer = authority.issuer
    grant = access.read(presented, key, issuer=issuer, audience=issuer, now=now)
    if len(authority.grants) >= _MOST_GRANTS:
        del authority.grants[next(iter(authority.grants))]
    authority.grants[presented] = (ring, grant)
    return grant


def _is_signed(
    authority: Authority, shown: Shown, row: Verifier, now: datetime, *, live: bool
) -> bool:
    """Return whether a request came by a certificate of its verifier's, or signed by its key.

    Raises:
        NotAcceptedError, NotGenuineError: it did so by one that is not the verifier's: whoever
            shows too much is refused, rather than heard for less than it meant to show.
    """

    def own(name: str, sort: KeySort) -> VerifierKey | None:
        found = in_force(authority, name, sort)
        return found if found and found.verifier_id == row.id and found.live is live else None

    def key(kid: str) -> ECKey | None:
        found = own(kid, KeySort.JWK)
        return es256.public_key(found.public) if found else None

    came_by = thumbprint(shown)
    if came_by is not None and own(came_by, KeySort.CERTIFICATE) is None:
        raise NotAcceptedError
    signed = any(name in _SIGNED for name, _ in shown.headers)
    if signed:
        message.check(
            method=shown.method,
            url=shown.url,
            headers=shown.headers,
            body=shown.body,
            keys=key,
            now=now,
        )
    return signed or came_by is not None


def _asking(
    row: Verifier,
    tier: int,
    scopes: Collection[Scope],
    *,
    key: str,
    proof: tuple[str, str, datetime] | None = None,
) -> Asking:
    return Asking(
        code=row.code,
        name=row.name,
        contact=row.contact,
        kind=row.kind,
        tier=tier,
        scopes=frozenset(scopes),
        services=frozenset(row.services),
        live=Scope.SANDBOX not in scopes,
        key=key,
        proof=proof,
    )
