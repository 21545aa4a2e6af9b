"""The six-clause rule of ``benchmarks.rules`` in OpenFisca, by its documented ways.

Run by ``benchmarks.rules`` in an environment of its own, in which there is nothing of ours: its
licence (AGPL-3.0) is not ours, and its pytest plugin would read our YAML. It speaks JSON on
standard output.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from openfisca_core.entities import build_entity
from openfisca_core.periods import DateUnit
from openfisca_core.simulation_builder import SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

PERIOD = "2026-11"
Person = build_entity("person", "persons", "A person", is_person=True)


def _input(name: str, kind: type, default: Any) -> type[Variable]:
    return type(
        name,
        (Variable,),
        {
            "value_type": kind,
            "entity": Person,
            "definition_period": DateUnit.MONTH,
            "default_value": default,
            "label": name,
        },
    )


class eligible(Variable):  # noqa: N801 - a variable is called as its class
    value_type = bool
    entity = Person
    definition_period = DateUnit.MONTH
    label = "May have an apartment"

    def formula(person, period):  # noqa: N805 - OpenFisca's way
        return (
            (person("degree_level", period) >= 1)
            * ((person("school_rank", period) <= 100) + (person("subject_rank", period) <= 20))
            * (person("months_since_return", period) < 12)
            * np.logical_not(person("owns_home_in_city", period))
            * np.logical_not(person("had_housing_benefit", period))
        )


#: The inputs with what stands for "not known", of which OpenFisca has no notion: not eligible.
INPUTS = {
    "degree_level": (int, -1),
    "school_rank": (int, 10**6),
    "subject_rank": (int, 10**6),
    "months_since_return": (int, 10**6),
    "owns_home_in_city": (bool, True),
    "had_housing_benefit": (bool, True),
}


def system() -> TaxBenefitSystem:
    """Return the tax-benefit system of the one rule."""
    found = TaxBenefitSystem([Person])
    for name, (kind, default) in INPUTS.items():
        found.add_variable(_input(name, kind, default))
    found.add_variable(eligible)
    return found


def population(found: TaxBenefitSystem, folder: Path, rounds: int) -> dict[str, Any]:
    """Return how long everybody takes, once the inputs are set; and of how many it holds."""
    columns = {name: np.fromfile(folder / name, dtype=np.int64) for name in INPUTS}
    many = len(columns["degree_level"])
    took = []
    for _ in range(rounds):
        simulation = SimulationBuilder().build_default_simulation(found, count=many)
        for name, values in columns.items():
            kind = np.int32 if INPUTS[name][0] is int else bool
            simulation.set_input(name, PERIOD, values.astype(kind))
        began = time.perf_counter()
        held = simulation.calculate("eligible", PERIOD)
        took.append(time.perf_counter() - began)
    held.astype(np.int8).tofile(folder / "held")
    return {"seconds": took, "held": int(held.sum())}


def one(found: TaxBenefitSystem, rounds: int) -> dict[str, float]:
    """Return the seconds for one person: told as a situation, and set anew in what stands."""
    situation = {
        "persons": {
            "somebody": {
                "degree_level": {PERIOD: 1},
                "school_rank": {PERIOD: 41},
                "subject_rank": {PERIOD: 30},
                "months_since_return": {PERIOD: 5},
                "owns_home_in_city": {PERIOD: False},
                "had_housing_benefit": {PERIOD: False},
            }
        }
    }
    told, anew = [], []
    simulation = SimulationBuilder().build_default_simulation(found, count=1)
    for _ in range(rounds):
        began = time.perf_counter()
        made = SimulationBuilder().build_from_entities(found, situation)
        assert made.calculate("eligible", PERIOD)[0]
        told.append(time.perf_counter() - began)
        began = time.perf_counter()
        for name, values in situation["persons"]["somebody"].items():
            simulation.delete_arrays(name, PERIOD)
            simulation.set_input(name, PERIOD, [values[PERIOD]])
        simulation.delete_arrays("eligible", PERIOD)
        assert simulation.calculate("eligible", PERIOD)[0]
        anew.append(time.perf_counter() - began)
    return {"situation": statistics.median(told), "anew": statistics.median(anew)}


if __name__ == "__main__":
    rule = system()
    folder, rounds = Path(sys.argv[1]), int(sys.argv[2])
    print(
        json.dumps({"population": population(rule, folder, rounds), "one": one(rule, 10 * rounds)})
    )
