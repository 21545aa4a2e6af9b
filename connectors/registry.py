"""Walks kinds/ and partners/; what fails its check is set aside, loudly."""

from __future__ import annotations

import importlib
import inspect
import logging
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any, TypeGuard

from connectors import base, errors, http, manifest, partner
from connectors import kinds as kinds_package
from models import errors as mistakes

#: The partners that come with the hub.
PARTNERS = Path(__file__).parent / "partners"

_log = logging.getLogger("greenway.connectors")


@dataclass(frozen=True, slots=True)
class Registry:
    """The partners at work, and those set aside with their mistakes; both by slug, sorted.

    ``suppliers`` has, by fact, the slug of the partner at work that supplies it.
    """

    kinds: Mapping[str, type[base.Connector[Any]]]
    partners: Mapping[str, partner.Partner]
    set_aside: Mapping[str, tuple[mistakes.Mistake, ...]]
    suppliers: Mapping[str, str]

    @classmethod
    def load(
        cls,
        folders: Sequence[Path],
        client: http.HTTPClient,
        sandbox: Mapping[str, str],
        secrets: Mapping[str, str],
        clock: Callable[[], datetime],
        *,
        always_live: bool = False,
    ) -> Registry:
        """Return the registry of every partner file in these folders.

        Args:
            folders: Where partner files stand; of two with one slug the last folder's counts.
            client: The hub's HTTP client.
            sandbox: Base URLs of the sandbox's systems, by name. Where it is empty none runs,
                and partners of the sandbox are left out.
            secrets: The secrets by the names that partner files use.
            clock: Tells the time, aware.
            always_live: Ask for every query, whatever is freshly remembered.

        Raises:
            KindError: a module of kinds/ is none.
        """
        known = kinds()
        partners: dict[str, partner.Partner] = {}
        set_aside: dict[str, tuple[mistakes.Mistake, ...]] = {}
        suppliers: dict[str, str] = {}
        for path in files(folders).values():
            try:
                entry = manifest.load(path, known)
                if not sandbox and entry.manifest.address.startswith(manifest.SANDBOX):
                    _log.info("%s is left out: the sandbox does not run", path.stem)
                    continue
                _refuse_second_suppliers(entry, suppliers)
                connector = entry.kind(
                    entry.options,
                    client.partner(
                        entry.manifest.slug,
                        manifest.address(entry, sandbox),
                        entry.manifest.limits.policy(),
                        manifest.credentials(entry, secrets),
                        entry.manifest.hosts,
                    ),
                )
            except mistakes.MistakesError as wrong:
                set_aside[path.stem] = wrong.mistakes
                _log.error("%s is set aside:\n%s", path.stem, wrong)
            else:
                partners[path.stem] = partner.Partner(
                    entry.manifest, connector, clock, always_live=always_live
                )
                suppliers |= dict.fromkeys(entry.manifest.supplies, path.stem)
        return cls(known, partners, set_aside, suppliers)


def _refuse_second_suppliers(entry: manifest.Entry, suppliers: Mapping[str, str]) -> None:
    """Let pass only who supplies what nobody else does: of two answers, neither were to be told.

    Raises:
        MistakesError: a partner at work supplies one of these facts already.
    """
    found = [
        entry.document.mistake(
            ("supplies", place),
            f"“{suppliers[name]}” supplies `{name}` already.",
            "One partner supplies a fact.",
        )
        for place, name in enumerate(entry.manifest.supplies)
        if name in suppliers
    ]
    if found:
        raise mistakes.MistakesError(found)


def check(folders: Sequence[Path]) -> list[mistakes.Mistake]:
    """Return every mistake in the partner files of these folders.

    Raises:
        KindError: a module of kinds/ is none.
    """
    return manifest.check([*files(folders).values()], kinds())


def files(folders: Sequence[Path]) -> dict[str, Path]:
    """Return the partner files in these folders, by slug and sorted; the last folder's counts."""
    found = {path.stem: path for folder in folders for path in folder.glob("*.yaml")}
    return dict(sorted(found.items()))


def kinds(package: ModuleType = kinds_package) -> dict[str, type[base.Connector[Any]]]:
    """Return every kind of partner in a package, by slug.

    Raises:
        KindError: a module is neither abstract nor slugged by its own name.
    """
    found: dict[str, type[base.Connector[Any]]] = {}
    for one in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{one.name}")
        own = [kind for kind in vars(module).values() if _is_own(kind, module)]
        whole = [kind for kind in own if not inspect.isabstract(kind)]
        if not own or [getattr(kind, "slug", "") for kind in whole] not in ([], [one.name]):
            raise errors.KindError(module.__name__)
        found.update({kind.slug: kind for kind in whole})
    return found


def _is_own(thing: object, module: ModuleType) -> TypeGuard[type[base.Connector[Any]]]:
    return (
        inspect.isclass(thing)
        and issubclass(thing, base.Connector)
        and thing.__module__ == module.__name__
    )
