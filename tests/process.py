"""A hub in a process of its own, as it is where it is at work: to be asked, and killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path

import aiohttp

from tests import port

ROOT = Path(__file__).parents[1]
_PATIENCE_SECONDS = 60.0


class Running:
    """The process; ``url`` is where it listens."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self._process = process
        self.url = url

    @property
    def pid(self) -> int:
        return self._process.pid

    async def terminate(self) -> int:
        """Ask it to end, and return its exit code once it has."""
        self._process.terminate()
        return await self._process.wait()

    async def kill(self) -> None:
        """End it at once, whatever it is about."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


async def start(folder: Path, database_url: str, **settings: str) -> Running:
    """Start a hub in demo mode without its sandbox, and return it once it is ready."""
    [number] = port.free(1)
    said = {"DEMO": "1", "DATA": str(folder), "DATABASE_URL": database_url, **settings}
    command = ("-m", "uvicorn", "server:application", "--factory")
    return await _started(
        (*command, "--port", str(number), "--log-level", "critical"), number, said
    )


async def serve(folder: Path, database_url: str, **settings: str) -> Running:
    """Start a hub as operators do, and return it once it is ready."""
    [number] = port.free(1)
    said = {"DEMO": "0", "DATA": str(folder), "DATABASE_URL": database_url, **settings}
    return await _started(("server.py", "serve"), number, {**said, "PORT": str(number)})


async def _started(command: tuple[str, ...], number: int, said: dict[str, str]) -> Running:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *command),
        cwd=ROOT,
        env={**os.environ, **{f"GREENWAY_{name}": value for name, value in said.items()}},
    )
    found = Running(process, f"http://127.0.0.1:{number}")
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS), aiohttp.ClientSession() as client:
            while not await _is_ready(client, found.url):
                assert process.returncode is None, "it ended before it was ready"
                await asyncio.sleep(0.05)
    except BaseException:
        await found.kill()
        raise
    return found


async def _is_ready(client: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with client.get(f"{url}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False
