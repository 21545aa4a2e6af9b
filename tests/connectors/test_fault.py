import pytest

from connectors import fault
from connectors.fault import Fault, Mode
from models import errors


def test_a_script_says_of_partners_and_kinds_how_they_fail():
    said = fault.read("hospital=slow:2s, xinhua-bank = down,school=error:503,cinema=stale:1h")

    assert said == {
        "hospital": Fault(Mode.SLOW, 2.0),
        "xinhua-bank": Fault(Mode.DOWN),
        "school": Fault(Mode.ERROR, status=503),
        "cinema": Fault(Mode.STALE, 3600.0),
    }


@pytest.mark.parametrize("mode", Mode)
def test_every_fault_may_be_named_alone(mode):
    assert fault.read(f"bank={mode}")["bank"].mode is mode


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("bank", "“bank” says no fault."),
        ("bank=down,", "“” says no fault."),
        ("Bank=down", "“Bank=down” says no fault."),
        ("bank=hangs", "There is no fault “hangs”."),
        ("bank=down:2s", "“down:2s” says no fault."),
        ("bank=slow:2", "“slow:2” says no fault."),
        ("bank=slow:999999h", "“slow:999999h” says no fault."),
        ("bank=error:200", "“error:200” says no fault."),
    ],
)
def test_a_script_that_cannot_be_read_is_refused(script, why):
    with pytest.raises(errors.BadInputError) as refused:
        fault.read(script)

    assert refused.value.sentence == why


def test_a_misspelt_fault_is_told_the_nearest():
    with pytest.raises(errors.BadInputError) as refused:
        fault.read("bank=truncatd")

    assert refused.value.hint == "Did you mean “truncated”?"
