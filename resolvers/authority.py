"""The authority: what the hub issues cards and checks them with, as long as the process lives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Any
from urllib.parse import urlsplit

from credentials.access import Grant
from credentials.keyring import Keyring
from credentials.pseudonym import Pseudonyms
from models.database import Database
from resolvers.directory import Directory
from resolvers.issuer import Trusted
from resolvers.key import Keys
from resolvers.limit import Limits
from resolvers.turn import Turns


@dataclass(frozen=True, slots=True)
class Authority:
    """What is needed to issue and to check, of one hub.

    ``issuer`` is the hub's address, as others reach it, and the name it signs under; ``master``
    the secret that codes of phones and venues are derived from.
    """

    issuer: str
    district: str
    database: Database
    clock: Callable[[], datetime]
    pseudonyms: Pseudonyms
    master: bytes = field(repr=False)
    keys: Keys
    verifiers: Directory
    issuers: Trusted
    limits: Limits
    #: What access tokens allow that were read by these keys.
    grants: dict[str, tuple[Keyring, Grant]] = field(default_factory=dict, repr=False)
    #: The checks that wait to be served.
    turns: Turns[Any, None] = field(default_factory=partial(Turns, key=attrgetter("key")))

    @property
    def host(self) -> str:
        """The host in addresses of ours, as codes have it."""
        return urlsplit(self.issuer).netloc.lower()

    async def begun(self) -> None:
        """Look at what there is, unless that was done already."""
        if not self.keys.read:
            await self.refreshed()

    async def refreshed(self) -> None:
        """Take in what changed: keys, who may check, and whose cards count."""
        await self.keys.refreshed()
        await self.verifiers.refreshed()
        await self.issuers.refreshed()
