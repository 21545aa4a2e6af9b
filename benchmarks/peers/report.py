"""Several races side by side: each side's median in every pass, and its ratio to one of them.

python -m benchmarks.peers.report A.json B.json
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

from benchmarks import table


def main() -> None:
    """Print what ``--out`` of several races holds."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--baseline", default="strawberry", help="whom all are compared with")
    asked = parser.parse_args()
    passes = [json.loads(path.read_text(encoding="utf-8")) for path in asked.files]
    for one in passes:
        print(f"{one['when']}, {one['machine']}")
    for workload in passes[0]["rounds"]:
        _show(workload, [one["rounds"][workload] for one in passes], asked.baseline)


def _show(workload: str, passes: list[dict[str, Any]], baseline: str) -> None:
    """Print one workload of the sides that are in every pass."""
    names = [one for one in passes[0] if all(one in other for other in passes)]
    names.sort(key=lambda name: -_median(passes[0], name, "per_second"))
    rows = [
        (
            name,
            " / ".join(f"{_median(one, name, 'per_second'):.1f}" for one in passes),
            " / ".join(_ratio(one, name, baseline) for one in passes),
            " / ".join(f"{_median(one, name, 'cpu'):.2f}" for one in passes),
            " / ".join(f"{_median(one, name, 'p99'):.1f}" for one in passes),
        )
        for name in names
    ]
    head = ("", "requests/s", f"times {baseline}", "CPU ms/request", "p99 ms")
    table.shown(f"{workload}, pass by pass.", head, rows)


def _median(found: dict[str, Any], name: str, of: str) -> float:
    return statistics.median(one[of] for one in found[name])


def _ratio(found: dict[str, Any], name: str, baseline: str) -> str:
    if baseline not in found:
        return "-"
    return f"{_median(found, name, 'per_second') / _median(found, baseline, 'per_second'):.2f}"


if __name__ == "__main__":
    main()
