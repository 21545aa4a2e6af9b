"""Prints what was measured: plain tables, each number beside the bar it was held against."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks import machine


def opened(title: str) -> None:
    """Print what follows, and on which machine."""
    print(f"{title}\n{machine.described()}")


def shown(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; the first column reads from the left, numbers from the right."""
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    print(f"\n{title}")
    for row in (head, ["-" * width for width in widths], *rows):
        cells = (
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join(cells).rstrip(), flush=True)


def held(value: float, most: float, unit: str) -> str:
    """Return a number beside its bar.

    >>> held(12.34, 20, "ms")
    '12.3 ms (bar 20: met)'
    """
    return f"{value:.1f} {unit} (bar {most:g}: {'met' if value <= most else 'MISSED'})"


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Return the median of some rounds, and the least and the most.

    >>> spread([3.0, 1.0, 2.0])
    '2.0 (1.0-3.0)'
    """
    ordered = sorted(values)
    middle = ordered[len(ordered) // 2]
    return f"{middle:.{digits}f} ({ordered[0]:.{digits}f}-{ordered[-1]:.{digits}f})"
