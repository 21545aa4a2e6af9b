import pytest

from connectors import discretion


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("?t=eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJub2JvZHkifQ.c2ln", "a JSON Web Token"),
        ("-----BEGIN EC PRIVATE KEY-----\nMHcC", "a private key"),
        ('{"authorization": "Basic bm9ib2R5OmF0LWFsbA=="}', "credentials of HTTP"),
        ('{"contact": "desk@clinic.cn"}', "an e-mail address"),
        ('{"telecom": "13800000000"}', "a telephone number"),
        ('{"telecom": "+86 13800000000"}', "a telephone number"),
        ('{"id": "11010519491231002X"}', "an identity number"),
    ],
)
def test_what_looks_like_a_secret_or_like_somebody_is_found_and_never_quoted(text, what):
    assert list(discretion.indiscretions(text)) == [what]


@pytest.mark.parametrize(
    "text",
    [
        '{"contact": "desk@clinic.example"}',
        '{"contact": "desk@mail.example.org"}',
        # Its check character does not hold.
        '{"id": "110105194912310021"}',
        '{"instant": 1732406400000, "sku": "1380000000012", "code": "a13800000000"}',
        "Basic Law, and bearer of good news",
    ],
)
def test_what_only_resembles_it_is_let_pass(text):
    assert list(discretion.indiscretions(text)) == []


@pytest.mark.parametrize(
    ("name", "value", "looks"),
    [
        ("X-Api-Key", "9f8e7d6c5b4a39281706f5e4", True),
        ("access_token", "9f8e7d6c5b4a39281706f5e4", True),
        ("X-Api-Key", "[hidden]", False),
        ("sessionType", "morning", False),
        ("identifier", "9f8e7d6c5b4a39281706f5e4", False),
    ],
)
def test_a_name_that_speaks_of_a_secret_gives_away_a_value_that_looks_like_one(name, value, looks):
    assert discretion.secretive(name, value) is looks
