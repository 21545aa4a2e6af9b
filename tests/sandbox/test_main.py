"""The sandbox as its own process: ready in under a second, stopped by a signal."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time

import pytest

from sandbox import secret
from tests import port as ports


async def sandbox(*arguments):
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        "-m",
        "sandbox",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_starts_says_one_line_and_stops_cleanly(number):
    port = ports.free(5)[0]
    began = time.monotonic()
    process = await sandbox("--port", str(port), "--day", "2026-11-22")

    line = (await asyncio.wait_for(process.stdout.readline(), 10)).decode()
    took = time.monotonic() - began
    process.send_signal(number)
    rest, complaints = await asyncio.wait_for(process.communicate(), 10)

    assert line.startswith("sandbox ready")
    for place, name in enumerate(("bank", "hospital", "school", "cinema"), start=1):
        assert f"{name} http://127.0.0.1:{port + place}" in line
    # It takes a quarter of this alone; other tests may hold both processors.
    assert took < 3
    assert (process.returncode, rest, complaints) == (0, b"", b"")


async def test_one_system_runs_alone_at_its_own_port(client):
    port = ports.free(5)[0]
    process = await sandbox("hospital", "--port", str(port), "--day", "2026-11-22")
    await asyncio.wait_for(process.stdout.readline(), 10)

    async with client.get(f"http://127.0.0.1:{port}/systems") as reply:
        listed = await reply.json()
    process.terminate()
    await asyncio.wait_for(process.communicate(), 10)

    assert {name: one["url"] for name, one in listed.items()} == {
        "hospital": f"http://127.0.0.1:{port + 2}"
    }


async def test_it_prints_the_demo_secrets_as_json():
    process = await sandbox("--secrets")

    printed, _ = await asyncio.wait_for(process.communicate(), 10)

    assert json.loads(printed) == secret.VALUES


async def test_an_unknown_system_is_refused_with_the_known_ones():
    process = await sandbox("casino")

    _, complaints = await asyncio.wait_for(process.communicate(), 10)

    assert process.returncode == 2
    assert b"bank, hospital, school, cinema" in complaints
