"""The command that gathers the standing: it is run beside a hub, and yields to it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import os
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from commands import means
from models import errors
from resolvers import standing
from resolvers.context import ZONE

#: By how much gathering the standing yields to whatever else runs on the machine.
_NICE = 10

app = typer.Typer()


@app.command(name="standing")
def gather(
    context: typer.Context,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day; today, if not given.")
    ] = None,
) -> None:
    """Gather everybody's facts as they stand on a day, which lists and counts of people read."""
    given = means.of(context)
    day = on.date() if on else given.now().astimezone(ZONE).date()
    # Whoever waits for the hub comes first; and what is read makes no cycles to be looked for.
    os.nice(_NICE)
    gc.disable()

    async def run() -> int | None:
        async with given.database() as database:
            return await standing.make(database, day)

    began = time.monotonic()
    with _alone(given.data) as is_alone:
        many = asyncio.run(run()) if is_alone else None
    if many is None:
        raise errors.HubError("Another process gathers it already.", "Wait for that one.")
    took = time.monotonic() - began
    typer.echo(f"The standing of {many} people on {day} is there, after {took:.1f} s.")


@contextlib.contextmanager
def _alone(data: Path) -> Iterator[bool]:
    """Say whether no other process of this machine, with this data, is in here as well."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / "standing.lock").open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
