"""The benchmarks' command line: beside the baseline, with many people, or with broken partners."""

from __future__ import annotations

import argparse

from benchmarks import beside, broken, people


def main() -> None:
    """Run one benchmark and print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="less exact, within a minute")
    parser.add_argument(
        "--processes", type=int, default=1, help="how many of the hub's, beside the baseline"
    )
    commands = parser.add_subparsers(dest="command", metavar="people | broken")
    many = commands.add_parser("people", help="the database with very many people")
    many.add_argument("number", nargs="?", type=int, default=people.EVERYBODY)
    many.add_argument("--database", help="this one alone; its people are replaced")
    commands.add_parser("broken", help="each way a partner can fail, and starting without any")
    asked = parser.parse_args()
    match asked.command:
        case "people":
            people.main(asked.number, asked.database)
        case "broken":
            broken.main()
        case _:
            beside.main(beside.QUICK if asked.quick else beside.FULL, asked.processes)


if __name__ == "__main__":
    main()
