"""A Valkey or Redis server of a test's own, behind a socket file, to be frozen and killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import redis

SERVER = shutil.which("valkey-server") or shutil.which("redis-server")
WHY_NOT = "needs a valkey-server or redis-server on the path; .ci/run installs one"


class Store:
    """The server: ``url`` is where it is whether it runs or not."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{folder / 'socket'}"
        self.client = redis.Redis.from_url(self.url)

    def start(self) -> None:
        """Start it empty, and wait until it answers."""
        told = ["--port", "0", "--unixsocket", "socket", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(  # noqa: S603 - our own arguments
            [str(SERVER), *told, "--loglevel", "warning"],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
        )
        ends = time.monotonic() + 10
        while True:
            with contextlib.suppress(redis.ConnectionError):
                self.client.ping()
                return
            assert time.monotonic() < ends, "the server does not start"
            time.sleep(0.01)

    def freeze(self) -> None:
        """Let it hang: connections are taken, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it, and all that it knew."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _signal(self, which: signal.Signals) -> None:
        if self._process is not None:
            os.kill(self._process.pid, which)


@contextlib.contextmanager
def running() -> Iterator[Store]:
    # Socket paths are short, and pytest's folders are not.
    folder = Path(tempfile.mkdtemp(prefix="greenway-"))
    store = Store(folder)
    store.start()
    try:
        yield store
    finally:
        store.client.close()
        store.kill()
        shutil.rmtree(folder)
