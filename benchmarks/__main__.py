"""The benchmarks' command line: beside the baseline, people, partners, rules, lists, checks."""

from __future__ import annotations

import argparse
from dataclasses import replace

from benchmarks import beside, broken, partners, people, rules, status, verification


def main() -> None:
    """Run one benchmark and print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="less exact, within a minute")
    parser.add_argument(
        "--processes", type=int, default=1, help="how many of the hub's, beside the baseline"
    )
    commands = parser.add_subparsers(
        dest="command", metavar="people | broken | partners | rules | status | verification"
    )
    many = commands.add_parser("people", help="the database with very many people")
    many.add_argument("number", nargs="?", type=int, default=people.EVERYBODY)
    many.add_argument("--database", help="this one alone; its people are replaced")
    commands.add_parser("broken", help="each way a partner can fail, and starting without any")
    commands.add_parser("partners", help="many partners at once: calls, stuck queries, memory")
    judged = commands.add_parser("rules", help="rules compiled three ways, and beside OpenFisca")
    judged.add_argument("number", nargs="?", type=int, help="of people")
    judged.add_argument("--database", help="this one, with its people and its menu")
    listed = commands.add_parser("status", help="status lists of a million entries, built anew")
    listed.add_argument("number", nargs="?", type=int, default=status.MILLION, help="of entries")
    listed.add_argument("--database", help="an empty one")
    commands.add_parser("verification", help="cards checked online, how many a second")
    asked = parser.parse_args()
    match asked.command:
        case "people":
            people.main(asked.number, asked.database)
        case "broken":
            broken.main()
        case "partners":
            partners.main(partners.QUICK if asked.quick else partners.FULL)
        case "rules":
            effort = rules.QUICK if asked.quick else rules.FULL
            rules.main(replace(effort, people=asked.number or effort.people), asked.database)
        case "status":
            status.main(asked.number, 2 if asked.quick else 5, asked.database)
        case "verification":
            verification.main(verification.QUICK if asked.quick else verification.FULL)
        case _:
            beside.main(beside.QUICK if asked.quick else beside.FULL, asked.processes)


if __name__ == "__main__":
    main()
