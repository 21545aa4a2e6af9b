"""All that rules can speak of: the facts by name, and what they say of one person on a day."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from datetime import date

from eligibility import facts
from eligibility.fact import Fact, Value
from models import talent


@functools.cache
def known_facts() -> Mapping[str, Fact]:
    """Return every fact by name, found by walking ``eligibility/facts``.

    Raises:
        LookupError: a file holds no fact of its own name.
    """
    found = {}
    for module in pkgutil.iter_modules(facts.__path__):
        one = getattr(importlib.import_module(f"{facts.__name__}.{module.name}"), module.name, None)
        if not isinstance(one, Fact) or one.name != module.name:
            raise LookupError(f"eligibility/facts/{module.name}.py holds no fact {module.name}.")
        found[module.name] = one
    return found


def facts_of(person: talent.Talent, on: date, wanted: Iterable[Fact]) -> dict[str, Value | None]:
    """Return the wanted facts of a person on a day (Asia/Shanghai), None where not known."""
    return {fact.name: fact.read(person, on) for fact in wanted}
