"""`python -m connectors check | list`: the partner files judged, or told, from a shell."""

from __future__ import annotations

import sys
from pathlib import Path

from connectors import manifest, registry
from models import errors


def main(arguments: list[str]) -> int:
    """Run one command over the hub's partner files and any further folders; 0 is good."""
    commands = {"check": check, "list": listed}
    if not arguments or arguments[0] not in commands:
        print("usage: python -m connectors check|list [folder …]", file=sys.stderr)
        return 2
    return commands[arguments[0]]([registry.PARTNERS, *map(Path, arguments[1:])])


def check(folders: list[Path]) -> int:
    """Print every mistake in the partner files."""
    found = registry.check(folders)
    for mistake in found:
        print(mistake)
    print(f"{len(registry.files(folders))} partner files, {len(found)} mistakes.")
    return 1 if found else 0


def listed(folders: list[Path]) -> int:
    """Print each partner's slug, kind and name."""
    known = registry.kinds()
    for slug, path in registry.files(folders).items():
        try:
            described = manifest.load(path, known).manifest
        except errors.MistakesError:
            print(f"{slug:32} has mistakes: see check")
        else:
            print(f"{slug:32} {described.kind:12} {described.name.root['en']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
