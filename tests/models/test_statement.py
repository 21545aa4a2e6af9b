from __future__ import annotations

import pytest

from models import statement


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("SELECT card.serial \nFROM card WHERE card.serial = 'CANARY'", "card"),
        ('SELECT 1 FROM "talent" JOIN card ON 1', "talent"),
        ("INSERT INTO redemption (subject) VALUES (?)", "redemption"),
        ("UPDATE partner_version SET state=?", "partner_version"),
        ("DELETE FROM delivery WHERE id = 1", "delivery"),
        ("WITH found AS (SELECT * FROM found_before JOIN (SELECT 1 FROM card)) SELECT 1", "card"),
        ("SELECT 'FROM quill_emberwick'", "other"),
        ("SELECT 1", "other"),
    ],
)
def test_of_a_statement_only_a_table_of_ours_is_told(text, table):
    assert statement.table(text) == table
