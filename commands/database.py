"""The command about the database: it is brought to the schema that this version works with."""

from __future__ import annotations

import asyncio

import typer

from commands import means

app = typer.Typer()


@app.command()
def migrate(context: typer.Context) -> None:
    """Bring the database's schema to the newest revision."""

    async def run() -> None:
        async with means.of(context).database() as database:
            await database.upgrade()

    asyncio.run(run())
