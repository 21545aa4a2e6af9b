"""What is asked of what a field returns: the names below it, wherever fragments put them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from graphql.language import ast


class Below:
    """The selection of one field in one place of a document; each question is answered once."""

    def __init__(
        self,
        nodes: Sequence[ast.FieldNode],
        fragments: Mapping[str, ast.FragmentDefinitionNode],
    ) -> None:
        self._nodes = nodes
        self._fragments = fragments
        self._known: dict[tuple[str, ...], frozenset[str]] = {}

    def names(self, *places: str) -> frozenset[str]:
        """Return the names of the fields below the fields of these names, one below the other."""
        if places not in self._known:
            nodes: Iterable[ast.FieldNode] = self._nodes
            for place in (None, *places):
                nodes = [
                    inner
                    for one in nodes
                    if place in {None, one.name.value}
                    for inner in self._inside(one.selection_set)
                ]
            self._known[places] = frozenset(one.name.value for one in nodes)
        return self._known[places]

    def _inside(self, selected: ast.SelectionSetNode | None) -> Iterator[ast.FieldNode]:
        for one in selected.selections if selected else ():
            if isinstance(one, ast.FieldNode):
                yield one
            elif isinstance(one, ast.FragmentSpreadNode):
                yield from self._inside(self._fragments[one.name.value].selection_set)
            elif isinstance(one, ast.InlineFragmentNode):
                yield from self._inside(one.selection_set)
