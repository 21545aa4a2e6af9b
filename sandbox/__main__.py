"""The sandbox's command line: run the systems, or print their demo secrets."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from datetime import date, datetime, time

from aiohttp import web

from sandbox import control, day, secret, system


def main() -> None:
    """Run until SIGTERM or SIGINT; `--secrets` prints the demo secrets as JSON instead."""
    asked = _arguments()
    if asked.secrets:
        sys.stdout.write(json.dumps(secret.VALUES, indent=2) + "\n")
    else:
        try:
            asyncio.run(_run(asked))
        except OSError as wrong:
            sys.exit(f"The sandbox cannot listen on port {asked.port} and above: {wrong.strerror}.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=main.__doc__)
    parser.add_argument(
        "systems",
        nargs="*",
        metavar="system",
        help=f"{', '.join(system.ROUTES)}; all when left out",
    )
    parser.add_argument(
        "--port", type=int, default=8100, help="control port; systems are 1…4 above"
    )
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--day", type=date.fromisoformat, help="pretend it is this day, 08:00")
    parser.add_argument(
        "--while-stdin", action="store_true", help="stop as well when standard input closes"
    )
    parser.add_argument("--secrets", action="store_true", help="print the demo secrets as JSON")
    asked = parser.parse_args()
    strangers = set(asked.systems) - set(system.ROUTES)
    if strangers:
        parser.error(
            f"no system {', '.join(sorted(strangers))}; there are {', '.join(system.ROUTES)}"
        )
    return asked


async def _run(asked: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    if asked.while_stdin:
        # Whoever started it may die without a word; its end of the pipe closes all the same.
        loop.add_reader(sys.stdin, stopped.set)
    systems = {
        name: await system.start(name, asked.port + place, _clock(asked.day), asked.latency)
        for place, name in enumerate(system.ROUTES, start=1)
        if name in (asked.systems or system.ROUTES)
    }
    runner = web.AppRunner(control.app(systems), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", asked.port).start()
    where = "  ".join(f"{name} {one.url}" for name, one in systems.items())
    sys.stdout.write(f"sandbox ready  {where}  control http://127.0.0.1:{asked.port}/systems\n")
    sys.stdout.flush()
    await stopped.wait()
    await runner.cleanup()
    await asyncio.gather(*(one.stop() for one in systems.values()))


def _clock(on: date | None) -> day.Clock:
    if on is None:
        return system.now
    morning = datetime.combine(on, time(8), day.SHANGHAI)
    return lambda: morning


if __name__ == "__main__":
    main()
