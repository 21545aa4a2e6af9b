"""What suites of others need: their packages, a hub at an address, and what they say of it."""

from __future__ import annotations

import asyncio
import fcntl
import functools
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from tests import asgi, server

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
_PATIENCE_SECONDS = 120
_INSTALL_SECONDS = 600

#: These are run by their suites.
collect_ignore = ["clients/ask.py", "execution/plugin.py", "fuzz/checks.py"]
#: What was wrong, by the name of the check; None where nothing was.
Faults = dict[str, str | None]


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder of the npm packages that the suites share, installed as the lock says."""
    server.installed(FOLDER)
    return FOLDER / "node_modules"


@pytest.fixture(scope="session")
def python() -> Path:
    """A Python of its own, with what cannot stand beside the hub, as requirements.lock says."""
    folder, lock = FOLDER / ".venv", FOLDER / "requirements.lock"
    there = folder / "installed"
    with lock.open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not there.exists() or there.stat().st_mtime < lock.stat().st_mtime:
            _run(sys.executable, "-m", "venv", folder)
            wanted = ("--quiet", "--disable-pip-version-check", "--require-hashes", "-r", lock)
            _run(folder / "bin/pip", "install", *wanted)
            there.touch()
    return folder / "bin/python"


@pytest.fixture(scope="session")
def ran() -> Callable[..., Awaitable[str]]:
    """Run a command to its end, beside the hub that it asks, and return what it says."""

    async def run(
        *command: str | Path,
        may_fail: bool = False,
        seconds: float = _PATIENCE_SECONDS,
        **environment: str,
    ) -> str:
        process = await asyncio.create_subprocess_exec(
            *map(str, command),
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(seconds):
                out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        assert may_fail or process.returncode == 0, (out + err).decode()
        return out.decode()

    return run


@pytest.fixture
def told(ran, packages) -> Callable[..., Awaitable[str]]:
    """Run a program of a package, or a script of a suite, on Node.js; return what it says."""
    return functools.partial(ran, "node")


@pytest.fixture
def faults(told) -> Callable[..., Awaitable[Faults]]:
    """Run a script that tells of its checks through report.js, and return what was wrong."""

    async def run(script: Path, *arguments: str, **environment: str) -> Faults:
        said = await told(script, *arguments, **environment)
        found = [json.loads(line) for line in said.splitlines()]
        return {one["name"]: one["fault"] for one in found}

    return run


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address(shared_hub) -> AsyncIterator[str]:
    """The address of a hub for a whole module of tests that change nothing."""
    async with asgi.served(shared_hub.app) as url:
        yield url


def _run(*command: str | Path) -> None:
    subprocess.run([*map(str, command)], check=True, timeout=_INSTALL_SECONDS)  # noqa: S603 - our own
