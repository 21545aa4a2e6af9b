from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from models import offer
from schema import offer as shapes

AT = datetime(2026, 11, 23, 1, tzinfo=UTC)
GIVEN = {
    offer.Appointment: {"start": AT, "end": AT, "where": "Here"},
    offer.Quote: {"instrument": "USD/CNY", "currency": "CNY", "rate": Decimal("7.1")},
    offer.Place: {"where": "Here", "intake": "2027-09", "apply_by": date(2027, 5, 31)},
    offer.Showing: {"start": AT, "venue": "Hall", "price": Decimal(45), "price_currency": "CNY"},
    offer.Pass: {"where": "Here", "units": 3, "window_start": AT},
}


def test_every_shape_has_its_type():
    assert set(shapes.TYPES) == set(offer.SHAPES.values()) == set(GIVEN)


@pytest.mark.parametrize("shape", GIVEN, ids=lambda shape: shape.__name__)
def test_an_offer_is_said_field_by_field(shape):
    attributes = (
        offer.Attribute("hall", "Hall", "2"),
        offer.Attribute("age", "Age", "12", "years"),
    )
    found = shape(
        id="1", title="It", url="https://x.example", attributes=attributes, **GIVEN[shape]
    )

    said = shapes.of(found)

    assert type(said) is shapes.TYPES[shape]
    for field in fields(shape):
        if field.name != "attributes":
            assert getattr(said, field.name) == getattr(found, field.name)
    assert [(one.name, one.value, one.unit) for one in said.attributes] == [
        ("hall", "2", None),
        ("age", "12", "years"),
    ]
