"""Runs the hub alone, as `greenway serve` does, beside a sandbox that somebody else runs."""

from __future__ import annotations

import asyncio
import os
import sys

import uvicorn

import server
import settings as configuration


def main() -> None:
    """Serve until SIGTERM; with `--prepare`, bring schema, menu and people in place first."""
    settings = configuration.read(os.environ)
    if "--prepare" in sys.argv:
        asyncio.run(server.prepare(settings))
    uvicorn.run(
        "server:application",
        factory=True,
        workers=settings.processes,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()
