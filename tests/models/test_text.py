"""Which languages are wanted: a header is passed over where it is odd, an argument is refused."""

from __future__ import annotations

import pytest

from models import errors, text


@pytest.mark.parametrize(
    ("given", "languages"),
    [
        ("zh-CN", ("zh",)),
        ("ZH-hans-cn", ("zh",)),
        ("zh-cmn-Hans-CN", ("zh",)),
        ("de-CH-1996", ("de",)),
        ("es-419", ("es",)),
        ("de-u-co-phonebk-x-mine", ("de",)),
        ("x-mine", ("x",)),
        ("i-klingon", ("i",)),
        ("en-GB-oed", ("en",)),
        ("english", ("english",)),
        ("ja, zh;q=0.5,en ; q=0.75", ("ja", "en", "zh")),
        ("ja;Q=0.5, zh;q=1.000", ("zh", "ja")),
        ("*", ("en",)),
        ("de, *;q=0.1", ("de",)),
        ("de;q=0", ("en",)),
        (", ".join(["zh-CN"] * 28), ("zh",)),
    ],
)
def test_languages_are_asked_for_by_well_formed_tags(given, languages):
    assert text.asked(given) == languages


@pytest.mark.parametrize(
    "given",
    ["", " ", "!!!", "中文", "zh-", "-CN", "zh--CN", "z", "zh-C", "zh-CN-abcdefghi", "abcdefghi",
     "x", "zh-CN,", "zh;q=2", "zh;q=high", "zh;v=1", "zh;", "zh CN", "zh\nCN", "zh-u",
     "**", "a" * 200],
)  # fmt: skip
def test_what_is_no_language_is_refused_with_an_example(given):
    with pytest.raises(errors.BadInputError, match="is no language tag") as refused:
        text.asked(given)

    assert "`zh-CN`" in refused.value.hint


def test_an_underscore_is_told_the_hyphen():
    with pytest.raises(errors.BadInputError) as refused:
        text.asked("en, zh_Hans_CN;q=0.5")

    assert str(refused.value) == "“zh_Hans_CN;q=0.5” is no language tag."
    assert refused.value.hint == "Did you mean “zh-Hans-CN;q=0.5”?"


@pytest.mark.parametrize("given", ["x" * 201, "en," * 67, "zh-CN-" * 5000])
def test_a_language_of_more_than_200_characters_is_refused(given):
    with pytest.raises(errors.BadInputError, match=f"has {len(given)} characters; at most 200"):
        text.asked(given)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("x" * 201, "`text` has 201 characters; at most 200 may be given."),
        ("a " * 11, "`text` has 11 words; at most 10 may be sought at once."),
    ],
)
def test_a_search_of_too_much_is_refused(given, sentence):
    with pytest.raises(errors.BadInputError) as refused:
        text.sought(given)

    assert (refused.value.sentence, bool(refused.value.hint)) == (sentence, True)


def test_a_search_has_up_to_ten_words_of_up_to_200_characters_in_all():
    assert text.sought("Word " * 10) == ["word"] * 10
    assert text.sought("x" * 200) == ["x" * 200]


@pytest.mark.parametrize("given", ["zh_CN", "!!!", "", "x" * 5000, "中文字文"])
def test_an_odd_header_is_passed_over(given):
    assert text.wanted(given) == ("en",)
    assert text.wanted(f"{given}, zh") == ("zh",)
