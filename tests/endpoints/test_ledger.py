"""Whoever has a leaf, and nobody's leave, can prove that the log holds it."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from credentials import log_head, merkle
from credentials.keyring import Purpose
from resolvers import ledger
from tests import asgi, check


@pytest.fixture
async def log(hub):
    """A log with five checks in it, under one head."""
    rows = await check.filed(hub.hub.authority, *range(5))
    await ledger.sequence(hub.hub.authority)
    return rows


async def get(hub, path, **query):
    return await asgi.call(hub.app, path=path, query=query)


async def test_the_newest_head_is_signed_and_says_what_stands_beside_it(hub, log):
    answer = await get(hub, "/ledger/head")

    told = answer.json()
    said = log_head.read(
        told["signed"], lambda kid: hub.hub.authority.keys.ring.known(Purpose.LOG, kid)
    )
    assert answer.headers["cache-control"] == "max-age=5"
    assert (told["log"], told["size"]) == (said.log, said.size)
    assert said.log == "https://greenway.example/ledger"
    assert said.size == 5
    assert told["root"] == said.root.hex()
    assert datetime.fromisoformat(told["signedAt"]) == said.issued_at
    assert told["cosignatures"] == []


async def test_before_there_is_a_head_it_is_said_so(hub):
    answer = await get(hub, "/ledger/head")

    assert (answer.status, answer.json()["code"]) == (404, "NO_HEAD")


async def test_a_leaf_is_proved_to_stand_in_the_log(hub, log):
    head = (await get(hub, "/ledger/head")).json()
    leaf = ledger.leaf(log[3].salt, log[3].receipt)

    told = (await get(hub, "/ledger/inclusion", leaf=leaf.hex())).json()

    hashes = [bytes.fromhex(one) for one in told["hashes"]]
    assert told["checkpoint"] == head["signed"]
    assert merkle.includes(
        bytes.fromhex(head["root"]), told["treeSize"], told["leafIndex"], leaf, hashes
    )


async def test_two_sizes_are_proved_to_be_of_one_log(hub, log):
    head = (await get(hub, "/ledger/head")).json()
    leaves = [ledger.leaf(row.salt, row.receipt) for row in log[:3]]
    old = merkle.node(merkle.node(leaves[0], leaves[1]), leaves[2])

    told = (await get(hub, "/ledger/consistency", **{"from": 3, "to": 5})).json()

    hashes = [bytes.fromhex(one) for one in told["hashes"]]
    assert merkle.extends((3, old), (5, bytes.fromhex(head["root"])), hashes)


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/ledger/inclusion", {}, 400),
        ("/ledger/inclusion", {"leaf": "zz"}, 400),
        ("/ledger/inclusion", {"leaf": "00"}, 400),
        ("/ledger/inclusion", {"leaf": "00" * 32}, 404),
        ("/ledger/consistency", {}, 400),
        ("/ledger/consistency", {"from": "1"}, 400),
        ("/ledger/consistency", {"from": "x", "to": "5"}, 400),
        ("/ledger/consistency", {"from": "0", "to": "5"}, 400),
        ("/ledger/consistency", {"from": "1", "to": "6"}, 400),
        ("/ledger/consistency", {"from": "5", "to": "3"}, 400),
        ("/ledger/consistency", {"from": "1", "to": "9" * 400}, 400),
        ("/ledger/consistency", {"from": "١", "to": "5"}, 400),
    ],
)
async def test_a_question_that_is_none_is_refused(hub, log, path, query, status):
    answer = await get(hub, path, **query)

    assert answer.status == status
    assert answer.json()["message"]


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b'{"issuer": 1, "cosigned": "x"}', 400),
        (b'{"issuer": "x"}', 400),
        (b"x" * 20_000, 400),
        (b'{"issuer": "https://x.example", "cosigned": "x.y.z"}', 403),
    ],
)
async def test_a_cosignature_that_is_none_is_refused(hub, log, body, status):
    answer = await asgi.call(hub.app, "POST", path="/ledger/cosignatures", body=body)

    assert answer.status == status


async def test_a_neighbours_signature_is_shown_with_the_head(hub, log):
    authority = hub.hub.authority
    key = check.a_key(hub.clock())
    await check.trusted(authority, key)
    head = check.head_of(authority, await ledger.newest(authority))
    said = {
        "issuer": check.NEIGHBOUR,
        "cosigned": log_head.cosign(key, head, check.NEIGHBOUR),
    }

    answer = await asgi.call(
        hub.app, "POST", path="/ledger/cosignatures", body=json.dumps(said).encode()
    )

    assert answer.status == 204
    assert (await get(hub, "/ledger/head")).json()["cosignatures"] == [said]
