"""The directory of verifiers: who checks cards, by which keys, and what each may do as it asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from models import verifier as rows
from models.database import Database
from models.verifier import Kind, Scope, Verifier, VerifierKey


@dataclass(slots=True)
class Asking:
    """A verifier as it asks now, with one request.

    ``tier`` is how it has shown itself this time, ``scopes`` what it may do with that. ``live`` is
    whether it sees real cards; else it sees test cards alone. ``key`` is the public name of the
    key that it shows. ``proof`` is what may be used once of what it showed: its scope, value and
    until when that counts; ``spent`` is whether this request has used it, ``spending`` the session
    in which it was used last, whose transaction may yet be undone.
    """

    code: str
    name: str
    contact: str
    kind: Kind
    tier: int
    scopes: frozenset[Scope]
    services: frozenset[str]
    live: bool
    key: str = ""
    proof: tuple[str, str, datetime] | None = None
    spent: bool = False
    spending: object = None

    def may(self, scope: Scope) -> bool:
        """Return whether it may do this."""
        return scope in self.scopes


class Directory:
    """Every verifier with its keys, as they were when last looked at: at most a second ago."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.by_code: Mapping[str, Verifier] = {}
        self.keys: Mapping[str, VerifierKey] = {}
        self._by_id: Mapping[int, Verifier] = {}
        self._stamp: object = None

    async def refreshed(self) -> None:
        """Look at who there is, where anything changed."""
        async with self.database.session() as session:
            stamp = await rows.stamp(session)
            if stamp == self._stamp:
                return
            verifiers, keys = await rows.everybody(session)
        self._stamp = stamp
        self._by_id = {one.id: one for one in verifiers}
        self.by_code = {one.code: one for one in verifiers}
        self.keys = {one.name: one for one in keys}

    def of(self, key: VerifierKey) -> Verifier:
        """Return whose key it is."""
        return self._by_id[key.verifier_id]
