"""Servers that others wrote, each a process of its own on loopback, for tests to connect to."""

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import port

FOLDER = Path(__file__).parent / "servers"
_PATIENCE_SECONDS = 60
_INSTALL_SECONDS = 300
#: The oldest Node.js that all of them run on, as their package.json says.
_NODE = 20


@contextlib.contextmanager
def node(script: str, fed: object, folder: Path = FOLDER) -> Iterator[str]:
    """Run a script of a folder, fed with JSON, and give its address; skip without Node.js."""
    installed(folder)
    with _running(["node", str(folder / script), "{port}"], json.dumps(fed)) as url:
        yield url


def told(script: str, fed: object) -> Any:
    """Run a script of tests/servers to its end, fed with JSON, and return the JSON it says."""
    installed()
    ran = subprocess.run(  # noqa: S603 - our own scripts
        ["node", str(FOLDER / script)],  # noqa: S607 - where it is differs
        input=json.dumps(fed),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=_PATIENCE_SECONDS,
    )
    return json.loads(ran.stdout)


def command(program: Path) -> list[str]:
    """The command that runs a program in Python or JavaScript; skips the latter without Node.js."""
    if program.suffix == ".py":
        return [sys.executable, str(program)]
    if shutil.which("node") is None or _node() < _NODE:
        pytest.skip(f"Node.js {_NODE} is not installed: {program.name} does not run")
    return ["node", str(program)]


def installed(folder: Path = FOLDER) -> None:
    """Install what a folder's scripts on Node.js need, as its lock says; skip without Node.js."""
    if shutil.which("npm") is None or _node() < _NODE:
        pytest.skip(f"npm and Node.js {_NODE} are not installed: what runs on them does not run")
    _install(folder)


def _node() -> int:
    """Return the major version of Node.js."""
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)  # noqa: S607 - where it is differs
    return int(told.stdout.lstrip("v").partition(".")[0])


def _install(folder: Path) -> None:
    """Install what the lock names, unless it is there; whoever comes meanwhile waits."""
    with (folder / "package.json").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        lock, there = folder / "package-lock.json", folder / "node_modules/.package-lock.json"
        if there.exists() and there.stat().st_mtime >= lock.stat().st_mtime:
            return
        subprocess.run(
            ["npm", "ci", "--silent", "--no-fund", "--no-audit", "--ignore-scripts"],  # noqa: S607 - where npm is differs
            cwd=folder,
            check=True,
            timeout=_INSTALL_SECONDS,
        )
        there.touch()


@contextlib.contextmanager
def python(*arguments: str) -> Iterator[str]:
    """Run the tests' own Python with these arguments, `{port}` among them; give its address."""
    with _running([sys.executable, *arguments], "") as url:
        yield url


@contextlib.contextmanager
def _running(command: list[str], fed: str) -> Iterator[str]:
    """Run a server at the port it is told in its command, until the caller is done."""
    [number] = port.free(1)
    process = subprocess.Popen(  # noqa: S603 - our own scripts
        [word.replace("{port}", str(number)) for word in command],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdin is not None
        process.stdin.write(fed)
        process.stdin.close()
        _await(process, number)
        yield f"http://127.0.0.1:{number}"
    finally:
        process.terminate()
        process.wait(_PATIENCE_SECONDS)


def _await(process: subprocess.Popen[str], number: int) -> None:
    """Wait until it listens: nothing but its port tells."""
    ends = time.monotonic() + _PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < ends:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", number), 1):
            return
        time.sleep(0.02)
    pytest.fail(f"The server did not start (exit code {process.poll()}).")
