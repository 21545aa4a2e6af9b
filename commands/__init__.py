"""The command line, a noun a module: no command reads settings, each is given what it needs."""

from __future__ import annotations

import typer

from commands import (
    audit,
    database,
    district,
    document,
    key,
    means,
    menu,
    schema,
    standing,
    tester,
    verifier,
)
from connectors import command

app = typer.Typer()
for noun in (database, tester, standing, schema, menu, verifier, audit, key, district, document):
    app.add_typer(noun.app)
app.add_typer(command.app, name="connectors", callback=means.with_bench)
