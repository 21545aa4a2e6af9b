"""Fifty partners of one kind: what they take, how soon they are there, whom a broken one harms."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import resource
import time
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks import machine, table
from connectors import http, registry

MANY = 50
MOST_MEGABYTES = 60.0
MOST_SECONDS = 10.0
_MODEL = "jinzhong-road-hospital"
_SANDBOX = {"hospital": "http://127.0.0.1:1"}
_SECRETS = {f"{_MODEL}-key": "a-benchmark"}


def main() -> None:
    """Print what fifty partners of one kind take, one of them broken."""
    with machine.folder() as folder:
        _write(folder)
        here, there = multiprocessing.Pipe(duplex=False)
        # What a partner takes shows in a process that has done nothing else.
        child = multiprocessing.get_context("spawn").Process(target=_load, args=(folder, there))
        child.start()
        at_work, set_aside, seconds, megabytes = here.recv()
        child.join()
    table.shown(
        f"{MANY} partners of one kind, and one whose file is broken.",
        ("what", "measured"),
        [
            ("at work", f"{at_work} of {MANY}"),
            ("set aside", f"{set_aside} of 1"),
            ("files read, checked and at work", table.held(seconds, MOST_SECONDS, "s")),
            ("memory", table.held(megabytes, MOST_MEGABYTES, "MB")),
        ],
    )


def _write(folder: Path) -> None:
    model = (registry.PARTNERS / f"{_MODEL}.yaml").read_text(encoding="utf-8")
    (folder / "first").mkdir()
    (folder / "rest").mkdir()
    for place in range(MANY):
        slug = f"hospital-{place}"
        text = model.replace(f"slug: {_MODEL}", f"slug: {slug}")
        path = folder / ("rest" if place else "first") / f"{slug}.yaml"
        path.write_text(text, encoding="utf-8")
    (folder / "rest" / "broken.yaml").write_text("slug: [", encoding="utf-8")


def _load(folder: Path, told: Connection) -> None:
    """Tell how many are at work and set aside, and what all but the first took."""

    async def load() -> tuple[int, int, float, float]:
        async with http.HTTPClient() as client:
            workshop = registry.Workshop(client, _SANDBOX, _SECRETS, lambda: datetime.now(UTC))
            workshop.load([folder / "first"])
            before = _megabytes()
            began = time.perf_counter()
            found = workshop.load([folder / "first", folder / "rest"])
            took = time.perf_counter() - began
            return len(found.partners), len(found.set_aside), took, _megabytes() - before

    told.send(asyncio.run(load()))


def _megabytes() -> float:
    """Return what this process holds now; its peak would be that of whoever started it."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1_000_000
