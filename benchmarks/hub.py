"""Runs the hub as `greenway serve` does, beside a sandbox of somebody else."""

from __future__ import annotations

import asyncio
import os
import sys

import server
import settings as configuration


def main() -> None:
    """Serve until SIGTERM; with `--prepare`, bring schema, menu and people in place first."""
    settings = configuration.read(os.environ)
    if "--prepare" in sys.argv:
        asyncio.run(server.prepare(settings))
    with server.socket_of(settings) as listening:
        server.run(settings, listening)


if __name__ == "__main__":
    main()
