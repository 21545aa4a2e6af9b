"""The benchmarks' command line: beside the baseline, beside peers, people, partners, rules, …"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from benchmarks import (
    beside,
    broken,
    growth,
    memory,
    partners,
    people,
    rules,
    small,
    status,
    verification,
)
from benchmarks.peers import race


def main() -> None:
    """Run one benchmark and print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="less exact, within a minute")
    parser.add_argument(
        "--processes", type=int, default=1, help="how many of the hub's, beside the baseline"
    )
    commands = parser.add_subparsers(
        dest="command",
        metavar="people | broken | growth | memory | partners | peers | rules | small | status | "
        "verification",
    )
    many = commands.add_parser("people", help="the database with very many people")
    many.add_argument("number", nargs="?", type=int, default=people.EVERYBODY)
    many.add_argument("--database", help="this one alone; its people are replaced")
    commands.add_parser("broken", help="each way a partner can fail, and starting without any")
    commands.add_parser("partners", help="many partners at once: calls, stuck queries, memory")
    commands.add_parser("growth", help="the time of a query against its rows and its fields")
    held = commands.add_parser("memory", help="the memory of a hub, at its start and under load")
    held.add_argument("--quick", action="store_true", default=argparse.SUPPRESS)
    held.add_argument("--minutes", type=int, help="how long the load lasts, at a steady pace")
    raced = commands.add_parser("peers", help="beside what a team would pick instead; see setup.sh")
    raced.add_argument("--quick", action="store_true", default=argparse.SUPPRESS)
    raced.add_argument("--peers", type=_several, default=race.NAMES, help="these alone: a,b")
    raced.add_argument("--workloads", type=_several, default=tuple(race.WORKLOADS), help="W1,W3")
    raced.add_argument("--rounds", type=int, help="how many")
    raced.add_argument("--out", type=Path, help="a file for all figures, as JSON")
    judged = commands.add_parser("rules", help="rules compiled three ways, and beside OpenFisca")
    judged.add_argument("number", nargs="?", type=int, help="of people")
    judged.add_argument("--database", help="this one, with its people and its menu")
    listed = commands.add_parser("status", help="status lists of a million entries, built anew")
    listed.add_argument("number", nargs="?", type=int, default=status.MILLION, help="of entries")
    listed.add_argument("--database", help="an empty one")
    commands.add_parser("small", help="small queries while a large one runs")
    commands.add_parser("verification", help="cards checked online, how many a second")
    _run(parser.parse_args())


def _run(asked: argparse.Namespace) -> None:
    match asked.command:
        case "people":
            people.main(asked.number, asked.database)
        case "broken":
            broken.main()
        case "growth" | "partners" | "small" | "verification" as command:
            modules = {"growth": growth, "partners": partners, "small": small}
            one = {**modules, "verification": verification}[command]
            one.main(one.QUICK if asked.quick else one.FULL)
        case "memory":
            effort = memory.QUICK if asked.quick else memory.FULL
            memory.main(memory.lasting(asked.minutes) if asked.minutes else effort)
        case "peers":
            pace = race.QUICK if asked.quick else race.FULL
            pace = replace(pace, rounds=asked.rounds or pace.rounds)
            race.main(pace, asked.peers, asked.workloads, asked.out)
        case "rules":
            depth = rules.QUICK if asked.quick else rules.FULL
            rules.main(replace(depth, people=asked.number or depth.people), asked.database)
        case "status":
            status.main(asked.number, 2 if asked.quick else 5, asked.database)
        case _:
            beside.main(beside.QUICK if asked.quick else beside.FULL, asked.processes)


def _several(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


if __name__ == "__main__":
    main()
