"""Expressions find what they name; none hangs a worker, whatever its file says."""

from __future__ import annotations

import jmespath
import pytest

from connectors import errors, expression


def find(source, data):
    return expression.Budget().find(expression.Expression.parse(source), data)


@pytest.mark.parametrize(
    ("source", "data", "found"),
    [
        ("a.b", {"a": {"b": 3}}, 3),
        ("a.b", {"a": [1]}, None),
        ("split(x, ',')[1]", {"x": "a,b"}, "b"),
        ("replace(x, '-', '')", {"x": "a-b"}, "ab"),
        ("upper(trim(x))", {"x": " a "}, "A"),
        ("lower(x)", {}, None),
        ("ref_id(x, 'Location')", {"x": "https://a.example/Location/12"}, "12"),
        ("ref_id(x, 'Location')", {"x": "Schedule/12"}, None),
        ("add(a, b)", {"a": 0.1, "b": "0.2"}, 0.3),
        ("subtract(a, b)", {"a": "30", "b": 12}, 18),
        ("multiply(a, `0.01`)", {"a": 4050}, 40.5),
        ("to_boolean(x)", {"x": "Yes"}, True),
        ("to_boolean(x)", {"x": "perhaps"}, None),
        ("to_string(x)", {"x": 1}, "1"),
    ],
)
def test_an_expression_finds_what_it_names(source, data, found):
    assert find(source, data) == found


DATA = {
    "a": {"b": [{"c": 1, "d": "x"}, {"c": 3}], "e": None, "f": ""},
    "g": 0,
    "h": ["y", "z"],
    "i": {"j": {"k": 2}},
}


@pytest.mark.parametrize(
    "source",
    [
        "i.j.k",
        "a.b[0].c",
        "a.b[-1].d || h[1]",
        "a.f || a.e || g",
        "[g, i.j.k, h]",
        "missing.[a, b]",
        "a.b[?c > `1`].c",
        "a.b[*].[c, d] | [1]",
        "{one: h, two: @.g}",
        "h[] | join('-', @)",
        "join('-', [h[0], to_string(g)])",
        "not_null(a.e, a.f, g)",
        "sort_by(a.b, &c)[-1].c",
        "length(a.b) == `2` && !g",
        "`[1, 2]`",
        "keys(i)",
    ],
)
def test_an_expression_finds_what_jmespath_says(source):
    assert find(source, DATA) == jmespath.search(source, DATA)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("a.[", "ends too early"),
        ("a b", "“b” cannot stand at letter 3"),
        ("`open`", "single quotes"),
        ("lowr(@)", "did you mean “lower”"),
        ("split(@)", "takes 2 arguments, not 1"),
        ("", "empty"),
        ("a" * 501, "500 letters"),
        ("(" * 400, "not JMESPath"),
        ("||".join("a" * 70), "120 parts"),
        (3, "text"),
    ],
)
def test_what_is_no_expression_is_told_why(source, why):
    with pytest.raises(ValueError, match=why):
        expression.Expression.parse(source)


TEXTS = ["abcabc"] * 1000


@pytest.mark.parametrize(
    ("source", "data"),
    [
        ("|".join(["[@,@,@][]"] * 14), TEXTS),
        ("|".join(["[@,@,@,@]"] * 14) + "|to_string(@)", TEXTS),
        ("join(join('aaaaaaaaaaaaaaaaaaaa', @), @)", TEXTS),
        ("[].replace(replace(@, 'a', join('aaaaaaaaaa', @)), 'a', 'aaaaaaaaaa')", TEXTS),
        ("[*].[@, @, @, @] | [].[@, @, @, @] | [].[@, @, @, @] | [].[@, @, @, @]", TEXTS * 100),
        ("upper(@)", 7),
        ("a < b", {"a": "x", "b": 1}),
        ("multiply(a, a)", {"a": "x"}),
    ],
)
def test_what_costs_too_much_or_does_not_fit_is_a_bad_answer(source, data):
    with pytest.raises(errors.Misconfigured) as raised:
        find(source, data)

    assert raised.value.problem is errors.Problem.BAD_ANSWER
    assert "abcabc" not in str(raised.value)


def test_the_expressions_of_one_answer_share_a_budget():
    budget, sought = expression.Budget(steps=10), expression.Expression.parse("a")
    for _ in range(10):
        budget.find(sought, {"a": 1})

    with pytest.raises(errors.Misconfigured, match="steps"):
        budget.find(sought, {"a": 1})
