"""What the tests of the kinds share: a sandbox, a stand-in that says odd things, and asking."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from connectors import base, http, manifest, registry
from models import offer
from sandbox import system
from tests import partner

FILES = Path(__file__).parents[1] / "partners"
NOW = datetime(2026, 11, 22, 8, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.fixture
def asked():
    """An inquiry of the coming fortnight, unless told otherwise."""

    def build(capability, topic, since=NOW, until=NOW + timedelta(days=14)):
        return base.Inquiry(offer.Capability(capability), topic, since, until)

    return build


@pytest.fixture
async def running():
    """Start sandbox systems by name, on the morning of NOW."""
    systems = []

    async def start(name):
        systems.append(await system.start(name, clock=lambda: NOW))
        return systems[-1]

    yield start
    for one in systems:
        await one.stop()


@pytest.fixture
async def client(running):
    async with partner.client() as client:
        yield client


@pytest.fixture
async def odd(client):
    """Build a kind before a stand-in that answers with each of the bodies, then the last."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(kind, options, *bodies, content_type="application/json", **headers):
            texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
            says = [partner.says(one, content_type=content_type, **headers) for one in texts]
            stand_in = await stack.enter_async_context(
                partner.running(partner.one_after_another(*says))
            )
            connector = kind(kind.options_model(**options), client.partner("odd", stand_in.url))
            return connector, stand_in.calls

        yield start


@pytest.fixture
def connected(client):
    """Build the connector of a partner file of tests/connectors/partners, at this address."""

    def build(slug, url, **secrets):
        entry = manifest.load(FILES / f"{slug}.yaml", registry.kinds())
        named = {name.replace("_", "-"): value for name, value in secrets.items()}
        credentials = manifest.credentials(entry, named)
        policy = http.Policy(deadline_seconds=entry.manifest.limits.deadline_seconds)
        return entry.kind(entry.options, client.partner(slug, url, policy, credentials))

    return build
