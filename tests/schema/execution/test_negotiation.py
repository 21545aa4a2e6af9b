import pytest

from schema.execution import negotiation
from schema.execution.negotiation import HTML, JSON, RESPONSE


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (RESPONSE, RESPONSE),
        (f"{JSON}, {RESPONSE}", RESPONSE),
        (f"{RESPONSE};q=0.5, {JSON}", JSON),
        (f"{RESPONSE};q=0.5, {JSON};q=0.9, */*;q=0.1", JSON),
        (f"{JSON};q=0, */*", None),
        (f"{JSON}; Charset=UTF-8 ; Q=0.3", JSON),
        ("text/html,application/xhtml+xml,*/*;q=0.8", HTML),
        (f"text/html;q=0.1, {JSON}", JSON),
        (f"{RESPONSE};q=lots", None),
        ("image/png", None),
    ],
)
def test_the_heaviest_type_on_offer_wins_and_a_wildcard_means_json(accept, wanted):
    assert negotiation.preferred(accept, [RESPONSE, JSON, HTML]) == wanted


def test_a_media_type_is_read_without_regard_to_case_and_quotes():
    assert negotiation.media_type('Application/JSON; Charset="UTF-8"') == (
        JSON,
        {"charset": "utf-8"},
    )
