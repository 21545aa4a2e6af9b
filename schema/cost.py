"""What fields and arguments cost, and how long lists are: the directives that say so.

A point is about 2 µs of one core, which is what a field takes that is only read: that costs one. A
weight is what the field's own work takes, rounded up, its SQL included; where it waits for a
partner it also stands for what the partner bears. ``schema.execution.cost`` adds it all up.
"""

from __future__ import annotations

from strawberry.federation.schema_directives import Cost, ListSize

#: A few entries are looked for by their codes, or by words; what is mistyped is told the nearest.
SOUGHT = Cost(weight=50)
#: A rule is judged of somebody.
JUDGED = Cost(weight=50)
#: A rule is judged on other facts, or for another day, than it is of everybody who asks.
OTHERWISE = Cost(weight=1_000)
#: A menu that was in force is read again.
EARLIER = Cost(weight=20_000)
#: It is gone through all that would turn a verdict.
TURNED = Cost(weight=7_500)
#: The menu is gone through.
SIEVED = Cost(weight=50)
#: What is known of somebody is read, mostly of many at once.
KNOWN = Cost(weight=50)
#: Whoever asks is looked at, and refused if they may not be told.
GUARDED = Cost(weight=50)
#: What a gateway refers to is found: mostly on the menu, now and then by SQL, many at once.
REFERRED = Cost(weight=50)
#: A little SQL, by a key.
LOOKED_UP = Cost(weight=200)
#: Something is signed, or a signature is checked.
SIGNED = Cost(weight=100)
#: A page of rows is read, or a person with all that is known of them.
READ = Cost(weight=1_000)
#: The whole contract is written out.
PRINTED = Cost(weight=1_000)
#: Partners are asked.
ASKED = Cost(weight=500)
#: All of an earlier menu is read, and compared.
COMPARED = Cost(weight=5_000)
#: Every service is judged.
RANKED = Cost(weight=5_000)
#: Everybody is judged.
POPULATION = Cost(weight=20_000)
#: Rows are written in a transaction, and what comes of it is mostly signed.
DONE = Cost(weight=1_000)


def paged() -> ListSize:
    """Return what a connection says of its length: the page asked for, else the usual one."""
    return ListSize(
        assumed_size=20,
        slicing_arguments=["first"],
        sized_fields=["edges", "nodes"],
        require_one_slicing_argument=False,
    )


def sized(most: int) -> ListSize:
    """Return what a list says of its length that holds so many at most, or nearly always."""
    return ListSize(  # type: ignore[call-arg]  # the others may be left out, but do not say so
        assumed_size=most, require_one_slicing_argument=False
    )
