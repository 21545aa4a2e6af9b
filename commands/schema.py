"""The commands about the contract: it is printed, written where it is kept, and compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import schema
from commands import means
from resolvers.context import ZONE
from schema import evolution

app = typer.Typer(name="schema", help="The contract.")


@app.callback(invoke_without_command=True)
def shown(
    context: typer.Context,
    *,
    write: Annotated[bool, typer.Option(help="Write schema/schema.graphql instead.")] = False,
) -> None:
    """Print the contract in SDL."""
    if context.invoked_subcommand is not None:
        return
    if write:
        schema.SDL.write_text(schema.sdl(), encoding="utf-8")
    else:
        typer.echo(schema.sdl(), nl=False)


@app.command()
def diff(
    context: typer.Context,
    *,
    against: Annotated[
        Path, typer.Option(help="A contract in SDL; else the one that was last released.")
    ] = evolution.RELEASED,
) -> None:
    """Print what of the contract may not be changed yet; `documents check` says whom it breaks."""
    today = means.of(context).now().astimezone(ZONE).date()
    found = evolution.breaks(means.text_of(against), schema.sdl(), today)
    for one in found:
        typer.echo(str(one))
    if found:
        raise typer.Exit(1)
    typer.echo("Nothing breaks.")
