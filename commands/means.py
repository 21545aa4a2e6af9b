"""What commands work with: how they come by it, and by what their arguments name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import typer

from connectors.command import Bench
from connectors.registry import File
from models import errors
from models.database import Database
from resolvers.authority import Authority
from resolvers.publication import Capabilities


@dataclass(frozen=True, slots=True)
class Means:
    """What the composition root has for commands, as the settings say.

    ``data`` and ``menu`` are folders. ``database`` and ``authority`` are open while they are
    entered. ``capabilities`` says what may be asked of each partner, with files installed beside
    those of the folders. ``bench`` is for commands about partner files.
    """

    data: Path
    menu: Path
    keys_elsewhere: bool
    now: Callable[[], datetime]
    database: Callable[[], AbstractAsyncContextManager[Database]]
    authority: Callable[[], AbstractAsyncContextManager[Authority]]
    capabilities: Callable[[Iterable[File]], Capabilities]
    bench: Callable[[], Bench]


def of(context: typer.Context) -> Means:
    """Return the means of a command; the settings are read by this, not to print a help."""
    made: Callable[[], Means] = context.obj
    return made()


def with_bench(context: typer.Context) -> None:
    """Give the commands about partner files, which know nothing above them, their bench."""
    made: Callable[[], Means] = context.obj
    context.obj = lambda: made().bench()


def text_of(path: Path) -> str:
    """Return the text of a file that an argument names.

    Raises:
        HubError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        raise errors.HubError(f"{path} cannot be read.") from None
