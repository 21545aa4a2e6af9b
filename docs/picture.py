#!/usr/bin/env python3
"""Draws docs/imports.svg: which package imports which, counted from the imports themselves."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import grimp

HERE = Path(__file__).parent
ROOT = "server"
#: The layers of docs/architecture.md, top to bottom; the sandbox stands apart from them.
LAYERS = (
    "commands",
    "endpoints",
    "schema",
    "resolvers",
    "connectors",
    "eligibility",
    "credentials",
    "models",
    "sandbox",
)

_WIDE, _HIGH, _STEP_X, _STEP_Y, _MARGIN = 108, 34, 124, 58, 16
_NAMESPACE = "http://www.w3.org/2000/svg"
_HEAD = """<marker id="head" viewBox="0 0 8 8" refX="8" refY="4" orient="auto"
 markerWidth="8" markerHeight="8"><path d="M0 0 8 4 0 8" /></marker>"""
_STYLE = """
  text { font: 13px ui-monospace, monospace; text-anchor: middle; dominant-baseline: central }
  rect { fill: #eef4ee; stroke: #2f6b45; rx: 6px }
  path { stroke: #8aa895; fill: none }
  circle { fill: #fff; stroke: #8aa895 }
  .upward circle { fill: #fdd; stroke: #c00 }
"""


def counted() -> Counter[tuple[str, str]]:
    """Return how many imports there are from one package's modules to another's."""
    graph = grimp.build_graph(*LAYERS)
    pairs = Counter(
        (importer.partition(".")[0], imported.partition(".")[0])
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
    )
    # A single file is no package to grimp, so the composition root is read here.
    pairs.update((ROOT, package) for package in _imported_by_root() if package in LAYERS)
    return Counter({pair: count for pair, count in pairs.items() if pair[0] != pair[1]})


def _imported_by_root() -> Iterator[str]:
    source = (HERE.parent / f"{ROOT}.py").read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from models import a, b` names two modules, as grimp counts them.
            package, _, rest = node.module.partition(".")
            yield from [package] * (1 if rest else len(node.names))


def drawn(pairs: Counter[tuple[str, str]]) -> str:
    """Return the picture: packages down a stair, each import to the right and then down.

    So every pair has a corner of its own, where its count stands. An import that points up the
    page would have its corner below the stair, in red.
    """
    places = {name: place for place, name in enumerate((ROOT, *LAYERS))}
    lines = [_line(places[one], places[other]) for one, other in sorted(pairs)]
    corners = [
        _corner(places[one], places[other], count) for (one, other), count in sorted(pairs.items())
    ]
    boxes = [_box(name, place) for name, place in places.items()]
    wide, high = (_at(len(places) - 1, axis) + _MARGIN for axis in (_STEP_X, _STEP_Y))
    return "\n".join(
        [
            f'<svg xmlns="{_NAMESPACE}" viewBox="0 0 {wide + _WIDE} {high + _HIGH}" role="img">',
            "<title>Which package imports which</title>",
            f"<style>{_STYLE}</style>",
            _HEAD,
            *lines,
            *corners,
            *boxes,
            "</svg>\n",
        ]
    )


def _at(place: int, step: int) -> int:
    return _MARGIN + place * step


def _middle(place: int) -> tuple[int, int]:
    return _at(place, _STEP_X) + _WIDE // 2, _at(place, _STEP_Y) + _HIGH // 2


def _line(one: int, other: int) -> str:
    (x, y), (to_x, to_y) = _middle(one), _middle(other)
    start, end = (
        (x + _WIDE // 2, to_y - _HIGH // 2) if one < other else (x - _WIDE // 2, to_y + _HIGH // 2)
    )
    return f'<path d="M{start} {y} H{to_x} V{end}" marker-end="url(#head)" />'


def _corner(one: int, other: int, count: int) -> str:
    y, x = _middle(one)[1], _middle(other)[0]
    kind = "upward" if one > other else "downward"
    return (
        f'<g class="{kind}"><circle cx="{x}" cy="{y}" r="13" />'
        f'<text x="{x}" y="{y}">{count}</text></g>'
    )


def _box(name: str, place: int) -> str:
    x, y = _middle(place)
    return (
        f'<rect x="{x - _WIDE // 2}" y="{y - _HIGH // 2}" width="{_WIDE}" height="{_HIGH}" />'
        f'<text x="{x}" y="{y}">{name}</text>'
    )


if __name__ == "__main__":
    (HERE / "imports.svg").write_text(drawn(counted()), encoding="utf-8")
