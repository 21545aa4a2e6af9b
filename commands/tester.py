"""The command about test people, of whom the test cards are."""

from __future__ import annotations

import asyncio

import typer

from commands import means
from models import tester

app = typer.Typer()


@app.command(name="testers")
def added(context: typer.Context) -> None:
    """Add the test people, whose test cards are all that a partner's test keys see."""
    given = means.of(context)

    async def run() -> int:
        async with given.database() as database:
            return await tester.build(database, given.now())

    many = asyncio.run(run())
    typer.echo(f"Test people added: {many}, of {len(tester.TESTERS)}. Their cards:")
    for number in range(1, len(tester.TESTERS) + 1):
        typer.echo(f"  {tester.serial(number)}")
