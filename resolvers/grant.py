"""Access tokens for verifiers: given to whoever shows a registered key, bound to the key it names.

It is OAuth 2.0's client credentials grant (RFC 6749, section 4.4) with a signed assertion (RFC
7523) and a proof of possession (RFC 9449).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from joserfc.jwk import ECKey

from credentials import access, assertion, dpop, es256
from credentials.assertion import Assertion
from credentials.dpop import Proof
from credentials.flaw import NotGenuineError
from credentials.keyring import Purpose
from models import verifier as rows
from models.verifier import KeySort, Scope, VerifierKey
from resolvers import limit, verifier
from resolvers.authority import Authority
from resolvers.verifier import Shown

GRANT_TYPE = "client_credentials"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFETIME = access.LIFETIME

#: From which tier on verifiers come with tokens.
_TIER = 2


class Refusal(StrEnum):
    """Why no token is given, in OAuth's words (RFC 6749, section 5.2; RFC 9449, section 5)."""

    REQUEST = "invalid_request"
    CLIENT = "invalid_client"
    SCOPE = "invalid_scope"
    GRANT_TYPE = "unsupported_grant_type"
    PROOF = "invalid_dpop_proof"
    LATER = "temporarily_unavailable"


class RefusedError(Exception):
    """No token is given; ``after`` is in how many seconds to ask again, where that helps."""

    def __init__(self, why: Refusal, sentence: str, after: float = 0.0) -> None:
        super().__init__(sentence)
        self.why = why
        self.sentence = sentence
        self.after = after


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client says when it asks for a token."""

    grant_type: str
    assertion_type: str
    assertion: str
    client_id: str | None = None
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """A new access token, and what for."""

    token: str
    scopes: frozenset[Scope]


async def grant(authority: Authority, shown: Shown, asked: Asked, now: datetime) -> Granted:
    """Give a token.

    Args:
        authority: The hub's.
        shown: The request: the key that its proof is of is the one the token is bound to.
        asked: What it says.
        now: The hub's time.

    Raises:
        RefusedError: none is given.
    """
    if asked.grant_type != GRANT_TYPE:
        raise RefusedError(Refusal.GRANT_TYPE, f"The grant type is {GRANT_TYPE}.")
    key, said = _client(authority, asked, now)
    proof = _proof(shown, now)
    came_by = _certificate(authority, shown, key)
    scopes = _scopes(authority, key, asked.scope)
    if after := await authority.limits.take(limit.TOKENS, said.client_id):
        raise RefusedError(Refusal.LATER, "You ask for tokens too often.", after)
    await _spend(authority, said, proof)
    token = access.issue(
        authority.keys.signer(Purpose.ACCESS),
        issuer=authority.issuer,
        audience=authority.issuer,
        client_id=said.client_id,
        scopes=scopes,
        jkt=proof.jkt,
        now=now,
        x5t=came_by,
    )
    return Granted(token, scopes)


def _client(authority: Authority, asked: Asked, now: datetime) -> tuple[VerifierKey, Assertion]:
    """Return the key that signed an assertion, and what it says."""
    shown: list[VerifierKey] = []

    def key(kid: str) -> ECKey | None:
        found = verifier.in_force(authority, kid, KeySort.JWK)
        if found is None or authority.verifiers.of(found).code != client:
            return None
        shown.append(found)
        return es256.public_key(found.public)

    if asked.assertion_type != ASSERTION_TYPE:
        raise RefusedError(Refusal.CLIENT, f"The client assertion's type is {ASSERTION_TYPE}.")
    try:
        client = assertion.client_of(asked.assertion)
        said = assertion.verify(asked.assertion, key, issuer=authority.issuer, now=now)
    except NotGenuineError:
        raise RefusedError(Refusal.CLIENT, verifier.REFUSED) from None
    if asked.client_id not in {None, client}:
        raise RefusedError(Refusal.CLIENT, verifier.REFUSED)
    return shown[0], said


def _proof(shown: Shown, now: datetime) -> Proof:
    try:
        return dpop.check(shown.header("dpop") or "", method=shown.method, url=shown.url, now=now)
    except (NotGenuineError, verifier.NotAcceptedError):
        raise RefusedError(Refusal.PROOF, "The DPoP proof is not accepted.") from None


def _certificate(authority: Authority, shown: Shown, key: VerifierKey) -> str | None:
    """Return the certificate that the request came by and its token will: one of the client's."""
    try:
        came_by = verifier.thumbprint(shown)
    except NotGenuineError:
        raise RefusedError(Refusal.CLIENT, verifier.REFUSED) from None
    if came_by is not None:
        found = verifier.in_force(authority, came_by, KeySort.CERTIFICATE)
        if found is None or (found.verifier_id, found.live) != (key.verifier_id, key.live):
            raise RefusedError(Refusal.CLIENT, verifier.REFUSED)
    return came_by


def _scopes(authority: Authority, key: VerifierKey, wanted: str | None) -> frozenset[Scope]:
    """Return what a token is for: all that its client may do, unless it wants less."""
    row = authority.verifiers.of(key)
    most = verifier.allowed(row, max(row.tier, _TIER), live=key.live)
    named = most if wanted is None else frozenset(wanted.split(" "))
    if not named or named - most:
        may = " ".join(sorted(most))
        raise RefusedError(Refusal.SCOPE, f"You may ask for: {may}.")
    always = frozenset() if key.live else frozenset({Scope.SANDBOX})
    return frozenset(Scope(one) for one in named) | always


async def _spend(authority: Authority, said: Assertion, proof: Proof) -> None:
    """Use up assertion and proof, both or neither."""
    async with authority.database.begin() as session:
        if not await rows.spend(session, f"assertion:{said.client_id}", said.jti, said.expires_at):
            raise RefusedError(Refusal.CLIENT, verifier.REFUSED)
        if not await rows.spend(session, f"dpop:{proof.jkt}", proof.jti, proof.expires_at):
            raise RefusedError(Refusal.PROOF, "The DPoP proof is not accepted.")
