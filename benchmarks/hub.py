"""Runs the hub as `greenway serve` does, beside a sandbox of somebody else."""

from __future__ import annotations

import asyncio
import os
import sys

import uvicorn
from uvicorn.supervisors import Multiprocess

import server
import settings as configuration


def main() -> None:
    """Serve until SIGTERM; with `--prepare`, bring schema, menu and people in place first."""
    settings = configuration.read(os.environ)
    if "--prepare" in sys.argv:
        asyncio.run(server.prepare(settings))
    config = server.serving(settings)
    config.host, config.port = settings.host, settings.port
    listening = [config.bind_socket()]
    if settings.processes == 1:
        uvicorn.Server(config).run(listening)
    else:
        Multiprocess(config, listening).run()


if __name__ == "__main__":
    main()
