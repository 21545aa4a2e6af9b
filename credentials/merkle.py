"""The tree of a log (RFC 9162, section 2.1): its root, and proofs of what stands in it.

The tree is read through ``hash_of(level, index)``: the hash of the complete subtree over the
``2 ** level`` leaves from ``index * 2 ** level`` on. Such hashes never change, so a store of them
only grows; and a proof needs no more of them than the square of the tree's height.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

HashOf = Callable[[int, int], bytes]

EMPTY = hashlib.sha256(b"").digest()


@dataclass(frozen=True, slots=True)
class Node:
    """The hash of a complete subtree, and where it stands."""

    level: int
    index: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Frontier:
    """As much of a tree as it takes to add leaves: its complete subtrees, the largest first."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def append(self, leaf_hash: bytes) -> tuple[Frontier, list[Node]]:
        """Return the tree with one leaf more, and the subtrees that are complete with it."""
        hashes = list(self.hashes)
        made = [Node(0, self.size, leaf_hash)]
        while (last := made[-1]).index & 1:  # A right child completes its parent.
            made.append(Node(last.level + 1, last.index >> 1, node(hashes.pop(), last.hash)))
        return Frontier(self.size + 1, (*hashes, made[-1].hash)), made

    @property
    def root(self) -> bytes:
        """The root of the tree."""
        if not self.hashes:
            return EMPTY
        found = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            found = node(left, found)
        return found


def leaf(entry: bytes) -> bytes:
    """Return the hash of an entry as a leaf."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash of two subtrees side by side."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(hash_of: HashOf, size: int) -> bytes:
    """Return the root of the tree over the first leaves, so many of them."""
    return _subtree(hash_of, 0, size) if size else EMPTY


def inclusion(hash_of: HashOf, index: int, size: int) -> list[bytes]:
    """Return the proof that a leaf stands at a place of the tree over the first leaves."""
    start, proof = 0, []
    while size > 1:
        split = _split(size)
        if index - start < split:
            proof.append(_subtree(hash_of, start + split, size - split))
            size = split
        else:
            proof.append(_subtree(hash_of, start, split))
            start, size = start + split, size - split
    return proof[::-1]


def consistency(hash_of: HashOf, old: int, new: int) -> list[bytes]:
    """Return the proof that the tree over the ``new`` first leaves only adds to that over ``old``.

    The older tree has a leaf at least, and no more than the newer.
    """
    start, proof = 0, []
    while old != new:
        split = _split(new)
        if old <= split:
            proof.append(_subtree(hash_of, start + split, new - split))
            new = split
        else:
            proof.append(_subtree(hash_of, start, split))
            start, old, new = start + split, old - split, new - split
    # A checker has the root of the older tree already, when that is one subtree of the newer.
    return [*([_subtree(hash_of, start, old)] if start else []), *proof[::-1]]


def places(proof: Callable[[HashOf], object]) -> set[tuple[int, int]]:
    """Return the levels and indexes of all the hashes a proof needs, to be read at once.

    >>> sorted(places(lambda hash_of: inclusion(hash_of, 4, 7)))
    [(0, 5), (0, 6), (2, 0)]
    """
    found = set()

    def note(level: int, index: int) -> bytes:
        found.add((level, index))
        return b""

    proof(note)
    return found


def includes(
    root_hash: bytes, size: int, index: int, leaf_hash: bytes, proof: Sequence[bytes]
) -> bool:
    """Say whether a proof shows that a leaf stands at a place of the tree with this root."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf_hash
    for one in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node(one, found)
            place, last = _past_left_edges(place, last)
        else:
            found = node(found, one)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root_hash


def extends(old: tuple[int, bytes], new: tuple[int, bytes], proof: Sequence[bytes]) -> bool:
    """Say whether a proof shows that one tree, as (size, root), only adds to an older one."""
    (old_size, old_root), (new_size, new_root) = old, new
    if old_size == new_size:
        return old_root == new_root and not proof
    if not 0 < old_size < new_size:
        return False
    hashes = [*([] if old_size & (old_size - 1) else [old_root]), *proof]
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = hashes[0] if hashes else b""
    for one in hashes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            before, after = node(one, before), node(one, after)
            place, last = _past_left_edges(place, last)
        else:
            after = node(after, one)
        place, last = place >> 1, last >> 1
    return last == 0 and (before, after) == (old_root, new_root)


def _past_left_edges(place: int, last: int) -> tuple[int, int]:
    while place and not place & 1:
        place, last = place >> 1, last >> 1
    return place, last


def _subtree(hash_of: HashOf, start: int, size: int) -> bytes:
    level = size.bit_length() - 1
    if size == 1 << level:
        return hash_of(level, start >> level)
    left = 1 << level
    return node(_subtree(hash_of, start, left), _subtree(hash_of, start + left, size - left))


def _split(size: int) -> int:
    """Return the largest power of two below a size."""
    return 1 << (size - 1).bit_length() - 1
