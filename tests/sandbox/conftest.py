"""What the sandbox's tests share: running systems, and a client with no opinions."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from sandbox import system

NOW = datetime(2026, 11, 22, 8, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.fixture
async def running():
    """Start sandbox systems by name, on the morning of NOW."""
    systems = []

    async def start(name, **options):
        systems.append(await system.start(name, clock=lambda: NOW, **options))
        return systems[-1]

    yield start
    for one in systems:
        await one.stop()


@pytest.fixture
async def client():
    async with aiohttp.ClientSession() as session:
        yield session
