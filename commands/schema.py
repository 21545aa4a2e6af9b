"""The command about the contract: it is printed, or written where it is kept."""

from __future__ import annotations

from typing import Annotated

import typer

import schema

app = typer.Typer()


@app.command(name="schema")
def shown(
    *, write: Annotated[bool, typer.Option(help="Write schema/schema.graphql instead.")] = False
) -> None:
    """Print the contract in SDL."""
    if write:
        schema.SDL.write_text(schema.sdl(), encoding="utf-8")
    else:
        typer.echo(schema.sdl(), nl=False)
