"""The tree of a log, judged by the definitions of RFC 9162 and by the tree logs are tested on."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import merkle

# The entries on which Certificate Transparency logs are tested, and the root after each.
ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
MOST = 70


def grown(size):
    """The tree over so many leaves, and a store of its complete subtrees."""
    frontier, store = merkle.Frontier(), {}
    for number in range(size):
        entry = ENTRIES[number] if number < len(ENTRIES) else b"entry %d" % number
        frontier, made = frontier.append(merkle.leaf(entry))
        store.update({(one.level, one.index): one.hash for one in made})
    return frontier, lambda level, index: store[level, index]


FRONTIERS = [grown(size)[0] for size in range(MOST + 1)]
HASH_OF = grown(MOST)[1]
LEAVES = [HASH_OF(0, index) for index in range(MOST)]


def defined_root(leaves):
    """The root as RFC 9162 defines it."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    halves = defined_root(leaves[:split]) + defined_root(leaves[split:])
    return hashlib.sha256(b"\x01" + halves).digest()


def defined_inclusion(index, leaves):
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = leaves[:split], leaves[split:]
    if index < split:
        return [*defined_inclusion(index, left), defined_root(right)]
    return [*defined_inclusion(index - split, right), defined_root(left)]


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_the_published_ones(size):
    assert FRONTIERS[size].root.hex() == ROOTS[size]
    assert merkle.root(HASH_OF, size).hex() == ROOTS[size]


@pytest.mark.parametrize("size", range(MOST + 1))
def test_the_root_is_the_same_from_the_frontier_from_the_store_and_by_definition(size):
    assert FRONTIERS[size].root == merkle.root(HASH_OF, size) == defined_root(LEAVES[:size])


@given(st.data())
def test_an_inclusion_proof_is_as_defined_and_holds_there_alone(data):
    size = data.draw(st.integers(1, MOST))
    index = data.draw(st.integers(0, size - 1))
    elsewhere = data.draw(st.integers(-1, MOST))
    root = FRONTIERS[size].root

    proof = merkle.inclusion(HASH_OF, index, size)

    assert proof == defined_inclusion(index, LEAVES[:size])
    assert merkle.includes(root, size, elsewhere, LEAVES[index], proof) is (elsewhere == index)


@given(st.data())
def test_a_tampered_inclusion_proof_does_not_hold(data):
    size = data.draw(st.integers(2, MOST))
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion(HASH_OF, index, size)
    place = data.draw(st.integers(0, len(proof) - 1))
    root, leaf = FRONTIERS[size].root, LEAVES[index]

    changed = [*proof[:place], bytes(32), *proof[place + 1 :]]

    assert not merkle.includes(root, size, index, leaf, changed)
    assert not merkle.includes(root, size, index, leaf, proof[:-1])
    assert not merkle.includes(root, size, index, leaf, [*proof, bytes(32)])
    assert not merkle.includes(root, size, index, bytes(32), proof)
    assert not merkle.includes(bytes(32), size, index, leaf, proof)


@pytest.mark.parametrize("new", range(1, MOST + 1))
def test_every_older_tree_is_shown_to_be_the_beginning_of_a_newer(new):
    later = (new, FRONTIERS[new].root)

    for old in range(1, new + 1):
        earlier = (old, FRONTIERS[old].root)
        assert merkle.extends(earlier, later, merkle.consistency(HASH_OF, old, new))


@given(st.data())
def test_a_tree_that_was_rewritten_is_not_shown_to_extend_the_old_one(data):
    new = data.draw(st.integers(2, MOST))
    old = data.draw(st.integers(1, new - 1))
    earlier, later = (old, FRONTIERS[old].root), (new, FRONTIERS[new].root)
    proof = merkle.consistency(HASH_OF, old, new)

    assert not merkle.extends((old, bytes(32)), later, proof)
    assert not merkle.extends(earlier, (new, bytes(32)), proof)
    assert not merkle.extends(earlier, later, [*proof, bytes(32)])
    assert not merkle.extends(earlier, later, proof[:-1])
    assert not merkle.extends(later, earlier, proof)
    assert not merkle.extends((0, merkle.EMPTY), later, proof)
    assert not merkle.extends(earlier, earlier, proof)


def test_the_proofs_of_the_eight_entries_are_the_published_ones():
    first, second = merkle.consistency(HASH_OF, 6, 8), merkle.inclusion(HASH_OF, 5, 8)

    assert [one.hex() for one in first] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [one.hex() for one in second] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@given(st.data())
def test_what_a_proof_needs_is_known_before_it_is_read(data):
    size = data.draw(st.integers(1, MOST))
    index = data.draw(st.integers(0, size - 1))

    wanted = merkle.places(lambda hash_of: merkle.inclusion(hash_of, index, size))
    store = {place: HASH_OF(*place) for place in wanted}

    proof = merkle.inclusion(lambda level, at: store[level, at], index, size)
    assert merkle.includes(FRONTIERS[size].root, size, index, LEAVES[index], proof)


def test_a_frontier_keeps_no_more_than_the_height_of_its_tree():
    assert max(len(one.hashes) for one in FRONTIERS) == 6


def test_a_node_never_passes_for_a_leaf():
    left, right = LEAVES[:2]

    assert merkle.leaf(left + right) != merkle.node(left, right)


def test_entries_that_differ_have_leaves_that_differ():
    assert len(set(LEAVES)) == MOST
