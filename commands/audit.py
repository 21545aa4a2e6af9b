"""The commands about the log of receipts: gone through, signed for neighbours, people forgotten."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Annotated

import typer

from commands import means
from resolvers import audit, neighbour

app = typer.Typer(name="audit", no_args_is_help=True, help="The log of receipts, gone through.")


@app.command()
def verify(context: typer.Context) -> None:
    """Go through all checks, the log and its heads; name whatever is not as it was, and exit 1."""
    given = means.of(context)

    async def run() -> audit.Tally:
        async with given.authority() as found, found.database.session() as session:
            one = audit.Audit(found.keys.ring)
            async for finding in one.findings(session):
                typer.echo(finding)
            return one.tally

    tally = asyncio.run(run())
    typer.echo(
        f"{tally.checks} checks ({tally.erased} of erased people), {tally.leaves} leaves, "
        f"{tally.heads} heads: {tally.findings or 'no'} finding{'s' * (tally.findings != 1)}."
    )
    if tally.findings:
        raise typer.Exit(1)


@app.command()
def erase(
    context: typer.Context,
    holder: Annotated[str, typer.Option(help="The person's handle.")],
) -> None:
    """Forget of whom the checks of a person were; the log stands."""
    given = means.of(context)

    async def run() -> int:
        async with given.authority() as found:
            return await audit.erase(found, holder)

    typer.echo(f"Checks that are of nobody now: {asyncio.run(run())}.")


@app.command()
def cosign(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="The address of the other district's hub.")],
) -> None:
    """Sign the newest head of a neighbour's log, if it only adds to what was seen of it before."""
    given = means.of(context)
    url = url.rstrip("/")
    memory = given.data / "cosigned.json"
    kept = json.loads(memory.read_text(encoding="utf-8")) if memory.exists() else {}

    async def run() -> neighbour.Seen:
        before = kept.get(url)
        seen = before and neighbour.Seen(before["size"], bytes.fromhex(before["root"]))
        async with given.authority() as found:
            return await neighbour.cosign(found, url, seen)

    now = asyncio.run(run())
    said = json.dumps({**kept, url: {"size": now.size, "root": now.root.hex()}}, indent=2)
    new = memory.with_suffix(f".{os.getpid()}")
    new.write_text(said, encoding="utf-8")
    new.replace(memory)
    typer.echo(f"The head of {now.size} leaves of {url} is signed.")
