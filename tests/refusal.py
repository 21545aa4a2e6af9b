"""How a test says that a credential is refused, and for which flaw."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from credentials.flaw import NotGenuineError


@contextmanager
def refused_as(flaw):
    """Expect that what follows is refused for this flaw, in the one sentence for all flaws."""
    with pytest.raises(NotGenuineError) as refused:
        yield

    assert refused.value.flaw is flaw
    assert str(refused.value) == "This credential is not accepted."
