"""Two districts, each with a hub of its own, look at each other's logs."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

import server
from credentials import log_head
from credentials.keyring import Purpose
from models import ledger as log
from models.verification import Verification
from resolvers import ledger, neighbour
from settings import Settings
from tests import asgi, check
from tests import hub as standing
from tests import port as ports

pytestmark = pytest.mark.any_database


@dataclass
class District:
    hub: server.Hub
    url: str

    @property
    def authority(self):
        return self.hub.authority

    async def grown(self, *numbers: int):
        """File checks, and return the head that is signed of them."""
        await check.filed(self.authority, *numbers)
        self.hub.clock.pass_seconds(ledger.HEAD_EVERY.total_seconds())
        await ledger.sequence(self.authority)
        return await ledger.newest(self.authority)


@pytest.fixture
async def districts(kind, migrated, tmp_path, clock):
    """Two hubs at ports of their own; whether one trusts the other is up to the test."""
    async with contextlib.AsyncExitStack() as stack:
        found = []
        for port in ports.free(2):
            folder = tmp_path / str(port)
            folder.mkdir()
            copy = shutil.copy(migrated.removeprefix("sqlite:///"), folder / "hub.db")
            settings = Settings(
                data=folder,
                database_url=f"sqlite:///{copy}",
                egress_allow="127.0.0.0/8",
                public_url=f"http://127.0.0.1:{port}",
            )
            hub = server.Hub(settings, clock)
            url = await stack.enter_async_context(asgi.served(server.app(hub), port))
            found.append(District(hub, url))
        yield found


async def trusts(one: District, other: District) -> None:
    await other.authority.begun()
    keys = [other.authority.keys.signer(purpose) for purpose in (Purpose.LOG, Purpose.CARD)]
    await check.trusted(one.authority, *keys, url=other.url)


async def test_a_neighbour_signs_each_head_that_adds_to_the_last(districts):
    own, other = districts
    await trusts(own, other)
    await own.grown(1, 2, 3)

    seen = await neighbour.cosign(other.authority, own.url, None)
    head = await own.grown(4, 5, 6, 7)
    again = await neighbour.cosign(other.authority, own.url, seen)

    (cosigned,) = (await ledger.newest(own.authority)).cosigned
    issuer, signed = cosigned
    said = log_head.read_cosigned(
        signed,
        lambda kid: other.authority.keys.ring.known(Purpose.LOG, kid),
        issuer=other.url,
    )
    assert (seen.size, again.size) == (3, 7)
    assert issuer == other.url
    assert (said.size, said.root.hex()) == (head.size, head.root)


async def test_a_neighbour_does_not_sign_a_log_that_was_rewritten(districts):
    own, other = districts
    await trusts(own, other)
    await own.grown(1, 2, 3)
    seen = await neighbour.cosign(other.authority, own.url, None)

    async with own.hub.database.begin() as session:
        for table in (Verification, log.Head, log.node):
            await session.execute(sa.delete(table))
    await own.grown(1, 2, 9, 10)

    with pytest.raises(neighbour.LogRewrittenError, match="does not add"):
        await neighbour.cosign(other.authority, own.url, seen)
    assert (await ledger.newest(own.authority)).cosigned == ()


async def test_a_neighbour_does_not_sign_a_log_that_was_cut(districts):
    own, other = districts
    await trusts(own, other)
    await own.grown(1, 2, 3)
    seen = await neighbour.cosign(other.authority, own.url, None)

    with pytest.raises(neighbour.LogRewrittenError):
        await neighbour.cosign(other.authority, own.url, neighbour.Seen(seen.size + 1, seen.root))


async def test_a_hub_takes_no_signature_of_somebody_it_does_not_trust(districts):
    own, other = districts
    await own.grown(1, 2, 3)

    with pytest.raises(neighbour.NeighbourSilentError):
        await neighbour.cosign(other.authority, own.url, None)

    assert (await ledger.newest(own.authority)).cosigned == ()


async def test_a_log_of_nothing_is_not_signed(districts):
    own, other = districts
    await trusts(own, other)

    with pytest.raises(neighbour.NeighbourSilentError):
        await neighbour.cosign(other.authority, own.url, None)


async def test_the_hub_itself_puts_checks_in_the_log_as_they_come(districts):
    own, _ = districts
    await check.filed(own.authority, 1)

    async def is_in() -> bool:
        return await ledger.newest(own.authority) is not None

    await standing.eventually(is_in)
