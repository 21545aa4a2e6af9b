"""The hub among its peers: the same data on its own menu, and its answers read back as theirs."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest
from aiohttp import test_utils

import server
from benchmarks import machine
from benchmarks.peers import hub, partners
from benchmarks.peers.dataset import KINDS, Dataset
from benchmarks.peers.workload import ITEMS, WORKLOADS
from settings import Settings
from tests import asgi

PEOPLE = 100


@pytest.fixture(scope="module")
def data():
    return Dataset.of(PEOPLE)


@pytest.fixture(scope="module")
def port():
    return machine.free_ports(1)[0]


@pytest.fixture(scope="module")
def settings(tmp_path_factory, data, port):
    """The settings of a hub that has the data, and asks its partners for every query."""
    folder = tmp_path_factory.mktemp("peers")
    found = Settings(
        data=folder,
        database_url=f"sqlite:///{folder}/peers.db",
        menu=folder / "menu",
        partners=folder / "partners",
        egress_allow="127.0.0.0/8",
        demo=True,
        always_live=True,
        points_per_second=0,
    )
    hub.write_menu(found.menu, data)
    hub.write_partners(found.partners, data, f"http://127.0.0.1:{port}")
    asyncio.run(hub.load(found, data))
    return found


@pytest.fixture
async def systems(data, port):
    async with test_utils.TestServer(partners.app(data, seconds=0), port=port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
async def asked(settings, systems, data):
    """Ask the hub in its own words, and read its answer back."""
    running = server.Hub(settings)
    app = server.app(running)
    [peer, _] = hub.peers(settings, {}, data)

    async def asked(workload, variables):
        sent = json.loads(peer.body(workload, variables))
        answer = await asgi.ask(
            app, sent["query"], sent["variables"], headers=peer.headers.get(workload.name, {})
        )
        assert answer.status == 200
        assert "errors" not in answer.json()
        return peer.read(workload.name, answer.json()["data"])

    yield asked
    await running.close()


async def test_the_hub_answers_with_the_rows_of_the_dataset(asked, data):
    for workload in WORKLOADS.values():
        # The first cards are of every status.
        for variables in workload.variables(PEOPLE)[:80]:
            assert await asked(workload, variables) == workload.answer(data, variables)


async def test_what_many_partners_are_asked_is_one_call_a_system(asked, systems, data):
    [variables] = WORKLOADS["W4"].variables(PEOPLE)

    await asked(WORKLOADS["W4"], variables)

    async with aiohttp.ClientSession() as session, session.get(f"{systems}/calls") as found:
        assert await found.json() == dict.fromkeys(KINDS, 1)
    assert len({row.id for kind in KINDS for _, row in data.served(kind, ITEMS)}) > len(KINDS)
