"""Who is asking, from the request's bearer token; and what a role may ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from credentials import token
from models import errors
from resolvers.directory import Asking


class Role(StrEnum):
    """What somebody is to the hub; the closed list, which tokens name in their ``role`` claim."""

    ANONYMOUS = "anonymous"
    HOLDER = "holder"
    PARTNER = "partner"
    OFFICER = "officer"
    INTEGRATOR = "integrator"
    ADMIN = "admin"


#: Those who are a person with a profile.
HOLDERS = frozenset({Role.HOLDER})
#: Roles that may look at people other than themselves.
OFFICERS = frozenset({Role.OFFICER, Role.ADMIN})
#: Roles that may change what the hub asks, and with which secrets.
ADMINS = frozenset({Role.ADMIN})
#: Partners; which of them checks cards, ``Viewer.asking`` says.
VERIFIERS = frozenset({Role.PARTNER})
#: Roles that may look into connectors.
OPERATORS = frozenset({Role.INTEGRATOR, Role.OFFICER, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody asking: a role, and a subject: a person's handle, a partner's slug, a login.

    ``sandbox`` is somebody who builds on the hub or tries it, and may have partners fail.
    ``verifier`` is the partner that asks with keys of its own, as one that checks cards.
    """

    role: Role = Role.ANONYMOUS
    subject: str = ""
    sandbox: bool = False
    verifier: Asking | None = field(default=None, compare=False)

    def require(self, roles: frozenset[Role]) -> None:
        """Let these roles pass.

        Raises:
            UnauthenticatedError: nobody in particular is asking.
            ForbiddenError: somebody else is asking.
        """
        if self.role in roles:
            return
        if self.role is Role.ANONYMOUS:
            raise errors.UnauthenticatedError
        raise errors.ForbiddenError(roles)

    def asking(self) -> Asking:
        """Return the verifier that asks.

        Raises:
            UnauthenticatedError: nobody in particular is asking.
            ForbiddenError: somebody asks who does not come with a verifier's key.
        """
        self.require(VERIFIERS)
        if self.verifier is None:
            raise errors.ForbiddenError(["a verifier, by its own key,"])
        return self.verifier

    def sees(self, handle: str) -> bool:
        """Return whether this viewer may see the person with this handle."""
        return self.role in OFFICERS or (self.role is Role.HOLDER and self.subject == handle)


ANONYMOUS = Viewer()

#: Of so many tokens it is remembered that they hold.
_MOST_SEEN = 10_000


@dataclass(frozen=True, slots=True)
class _Seen:
    """A token that held: who shows it, by which key, until when."""

    viewer: Viewer
    key_id: str
    key: token.Key
    until: float


@dataclass(frozen=True, slots=True)
class Door:
    """Turns an Authorization header into a viewer; ``keys`` finds the issuer's key by its id.

    ``sandbox`` is whether all that the issuer signs is of the sandbox, not by its claim alone.
    """

    issuer: str
    audience: str
    keys: Callable[[str], Awaitable[token.Key | None]]
    sandbox: bool = False
    #: Tokens that held when they were last shown: a front end shows one again and again.
    _seen: dict[str, _Seen] = field(default_factory=dict, init=False, repr=False)

    async def viewer(self, authorization: str | None, now: datetime) -> Viewer:
        """Return who is asking; without a header, nobody in particular.

        Raises:
            UnauthenticatedError: the header is no live bearer token of our issuer, for us.
        """
        if authorization is None:
            return ANONYMOUS
        if (seen := self._seen.get(authorization)) is not None:
            if now.timestamp() < seen.until and await self.keys(seen.key_id) is seen.key:
                return seen.viewer
            self._seen.pop(authorization, None)
        scheme, _, presented = authorization.partition(" ")
        if scheme.lower() != "bearer" or not presented.strip():
            raise errors.UnauthenticatedError("The Authorization header holds no bearer token.")
        key_id = token.key_id(presented.strip())
        key = await self.keys(key_id)
        if key is None:
            raise errors.UnauthenticatedError("The token is signed with a key we do not know.")
        claims = token.verify(
            presented.strip(), key, issuer=self.issuer, audience=self.audience, now=now
        )
        if claims.role not in set(Role) - {Role.ANONYMOUS}:
            raise errors.UnauthenticatedError("The token names no role of ours.")
        found = Viewer(Role(claims.role), claims.subject, self.sandbox or claims.sandbox)
        while len(self._seen) >= _MOST_SEEN:
            del self._seen[next(iter(self._seen))]
        self._seen[authorization] = _Seen(found, key_id, key, claims.until)
        return found
