from __future__ import annotations

import pytest

from credentials.flaw import Flaw, NotGenuineError


@pytest.mark.parametrize("flaw", Flaw)
def test_whatever_the_flaw_outsiders_are_told_the_same(flaw):
    refused = NotGenuineError(flaw)

    assert refused.flaw is flaw
    assert str(refused) == refused.sentence == "This credential is not accepted."
    assert refused.hint == ""
