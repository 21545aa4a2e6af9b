"""Neighbours: hubs of other districts, whose logs this one looks at and signs as it saw them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from joserfc.jwk import ECKey

from connectors import errors as failures
from connectors.http import PartnerClient
from credentials import claim, compact, es256, log_head, merkle
from credentials.flaw import NotGenuineError
from credentials.keyring import Purpose
from credentials.log_head import Head
from models import errors
from resolvers import ledger
from resolvers.authority import Authority


@dataclass(frozen=True, slots=True)
class Seen:
    """How a neighbour's log was when it was looked at last."""

    size: int
    root: bytes


class NeighbourSilentError(errors.HubError):
    """A neighbour cannot be asked, or answers what cannot be read."""

    def __init__(self, url: str) -> None:
        super().__init__(f"{url} cannot be asked for its log.", "Ask again soon.")


class LogRewrittenError(errors.HubError):
    """A neighbour's log does not add to what was seen of it: it was rewritten, or shown in two."""

    def __init__(self, url: str, seen: int, size: int) -> None:
        super().__init__(
            f"The log of {url} with {size} leaves does not add to the one with {seen} that was "
            "seen before. Its head is not signed.",
            "Keep both heads, and tell the auditors of both districts.",
        )


async def cosign(authority: Authority, url: str, seen: Seen | None) -> Seen:
    """Sign a neighbour's newest head, which only adds to what was seen before; return what it is.

    Raises:
        NeighbourSilentError: it cannot be asked, has no head yet, or does not take our signature.
        LogRewrittenError: its log is not the one that was seen.
    """
    await authority.begun()
    client = authority.issuers.client(url)
    try:
        head = await _newest(client, url)
        if seen is not None and not await _extends(client, seen, head):
            raise LogRewrittenError(url, seen.size, head.size)
        signed = log_head.cosign(authority.keys.signer(Purpose.LOG), head, authority.issuer)
        said = orjson.dumps({"issuer": authority.issuer, "cosigned": signed})
        await client.send("POST", "ledger/cosignatures", content=said)
    except (failures.PartnerError, NotGenuineError, ValueError):
        raise NeighbourSilentError(url) from None
    return Seen(head.size, head.root)


async def _newest(client: PartnerClient, url: str) -> Head:
    said = claim.members((await client.get("ledger/head")).json())
    keys = await _keys(client)
    head = log_head.read(claim.text(said.get("signed"), compact.MOST_LENGTH), keys.get)
    if head.log != f"{url}/{ledger.PATH}":
        raise ValueError("It is the head of another log.")
    return head


async def _keys(client: PartnerClient) -> dict[str, ECKey]:
    listed: list[Any] = claim.values(
        claim.members((await client.get(".well-known/jwks.json")).json()).get("keys")
    )
    keys = [es256.public_key(one) for one in listed]
    return {key.thumbprint(): key for key in keys}


async def _extends(client: PartnerClient, seen: Seen, head: Head) -> bool:
    if head.size < seen.size:
        return False
    between = [("from", str(seen.size)), ("to", str(head.size))]
    said = claim.members((await client.get("ledger/consistency", query=between)).json())
    hashes = [bytes.fromhex(one) for one in claim.texts(said.get("hashes"))]
    return merkle.extends((seen.size, seen.root), (head.size, head.root), hashes)
