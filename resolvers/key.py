"""The hub's signing keys in memory: read from where they are kept, and made in time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta

from connectors.errors import PartnerError
from credentials import key_store, keyring, seal
from credentials.keyring import Key, Keyring, Purpose
from models import errors
from models import key as rows
from models.database import Database, Session

#: Reads what a store of keys outside the hub holds.
Store = Callable[[], Awaitable[bytes]]
#: Such a store is looked at so often.
LOOK = timedelta(seconds=60)


class KeysElsewhereError(errors.HubError):
    """The keys are in a store outside the hub, which does not change them there."""

    code = "MISCONFIGURED"

    def __init__(self) -> None:
        super().__init__(
            "The keys are kept at GREENWAY_KEYS_URL, and changed there.",
            "See “Signing keys” in docs/operating.md.",
        )


class Keys:
    """The keyring of all processes on one database; ``kek`` seals what is kept there.

    With a ``store`` the signing keys are read from that, and never made or changed.
    """

    def __init__(
        self,
        database: Database,
        kek: bytes,
        clock: Callable[[], datetime],
        store: Store | None = None,
    ) -> None:
        self._database = database
        self._kek = kek
        self._clock = clock
        self._store = store
        self._looked_at: datetime | None = None
        self._seen: tuple[object, ...] = ()
        self._ring = Keyring(())

    @property
    def ring(self) -> Keyring:
        """The keys as they were when last looked at."""
        return self._ring

    @property
    def read(self) -> bool:
        """Whether they were looked at yet."""
        return bool(self._seen)

    def signer(self, purpose: Purpose) -> Key:
        """Return the key that signs for a purpose now.

        Raises:
            NoSigningKeyError: there is none.
        """
        return self._ring.signer(purpose, self._clock())

    def sealed(self, said: bytes, name: str) -> str:
        """Return a secret as it is kept: sealed, for this name alone."""
        return seal.sealed(said, name, self._kek)

    def opened(self, text: str, name: str) -> bytes:
        """Return a secret that was sealed under a name.

        Raises:
            SealBrokenError: it was not, or not with the sealing key in force.
        """
        return seal.opened(text, name, self._kek)

    @property
    def elsewhere(self) -> bool:
        """Whether the keys are in a store outside the hub."""
        return self._store is not None

    async def refreshed(self) -> Keyring:
        """Return the keys as they are now; those that are due are made first, by one process.

        Raises:
            BadStoreError: the store outside the hub has no such keys.
            NoSigningKeyError: it has none that signs for a purpose now.
        """
        if self._store is not None:
            return await self._looked(self._store)
        async with self._database.session() as session:
            self._take(await rows.everyone(session))
        if self._ring.due(self._clock()):
            async with self._database.begin() as session:
                await rows.alone(session)
                self._take(await rows.everyone(session))
                self._add(session, self._ring.due(self._clock()))
                await session.flush()
                self._take(await rows.everyone(session))
        return self._ring

    async def _looked(self, store: Store) -> Keyring:
        now = self._clock()
        if self._looked_at is None or now - self._looked_at >= LOOK:
            try:
                said = await store()
            except (OSError, PartnerError):
                raise key_store.BadStoreError from None
            found = Keyring(key_store.read(said))
            for purpose in Purpose:
                found.signer(purpose, now)
            self._ring, self._looked_at = found, now
            self._seen = (now,)
        return self._ring

    async def rotated(self, purpose: Purpose) -> Key:
        """Return the successor of the key that signs for a purpose, made now unless there is one.

        It is shown to everybody first, and signs when they have had time to fetch it.

        Raises:
            KeysElsewhereError: keys are not made here.
        """
        self._are_here()
        await self.refreshed()
        now = self._clock()
        async with self._database.begin() as session:
            await rows.alone(session)
            self._take(await rows.everyone(session))
            coming = self._ring.coming(purpose, now)
            if coming is None:
                coming = keyring.new(purpose, published_at=now, signs_from=now + keyring.NOTICE)
                self._add(session, [coming])
        await self.refreshed()
        return coming

    def _are_here(self) -> None:
        if self._store is not None:
            raise KeysElsewhereError

    async def compromised(self, id_: str) -> bool:
        """Take a key out of force: nothing it ever signed counts; say whether there is such a key.

        Its successor is made at once where it was the one that signed.

        Raises:
            KeysElsewhereError: keys are not changed here.
        """
        self._are_here()
        async with self._database.begin() as session:
            await rows.alone(session)
            found = await session.get(rows.SigningKey, id_)
            if found is None:
                return False
            found.compromised_at = found.compromised_at or self._clock()
        await self.refreshed()
        return True

    def _take(self, found: Iterable[rows.SigningKey]) -> None:
        listed = list(found)
        seen = tuple((one.id, one.compromised_at) for one in listed)
        if seen != self._seen:
            self._ring = Keyring([self._opened(one) for one in listed])
            self._seen = seen

    def _opened(self, row: rows.SigningKey) -> Key:
        return Key(
            row.id,
            Purpose(row.purpose),
            keyring.unsealed(row.sealed, self._kek),
            row.published_at,
            row.signs_from,
            row.signs_until,
            row.public_until,
            row.compromised_at,
        )

    def _add(self, session: Session, due: Iterable[Key]) -> None:
        session.add_all(
            rows.SigningKey(
                id=one.id,
                purpose=one.purpose,
                public=one.jwk.as_dict(private=False),
                sealed=keyring.sealed(one, self._kek),
                published_at=one.published_at,
                signs_from=one.signs_from,
                signs_until=one.signs_until,
                public_until=one.public_until,
                compromised_at=None,
            )
            for one in due
        )
