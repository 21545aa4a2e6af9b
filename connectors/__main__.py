"""`python -m connectors …`: the commands about partner files, without a hub's settings."""

from __future__ import annotations

import sys

from connectors import command
from models import errors


def main() -> None:
    """Run one command; an error of ours is its sentence, never a traceback."""
    try:
        command.app(prog_name="python -m connectors")
    except errors.GreenwayError as wrong:
        sys.exit(f"{wrong.sentence} {wrong.hint}".strip())


if __name__ == "__main__":
    main()
