"""Our own YAML is read strictly, and every complaint names its file, line and path."""

from datetime import date
from pathlib import Path
from typing import Literal

import pydantic
import pytest

from models import errors, source


class Shelf(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")

    colour: Literal["RED", "BLUE"] = "RED"
    width: int = 1
    since: date | None = None


class Room(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")

    name: str
    shelves: tuple[Shelf, ...] = ()
    sizes: dict[str, bool | int | str] = {}
    doors: tuple[Literal["OAK", "PINE"], ...] = pydantic.Field(("OAK",), min_length=1)
    open_until: date | None = None


def mistakes_in(text: str, at: source.Location = ()) -> list[str]:
    with pytest.raises(errors.MistakesError) as caught:
        source.validate(source.parse(text, "room.yaml"), Room if not at else Shelf, at)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_a_document_that_fits_is_its_model():
    document = source.parse("name: hall\nshelves: [{width: 3, since: 2024-02-29}]\n", "room.yaml")

    room = source.validate(document, Room)

    assert room == Room(name="hall", shelves=(Shelf(width=3, since=date(2024, 2, 29)),))


def test_the_data_is_plain_whatever_yaml_made_of_it():
    text = 'flag: true\ncount: 0x10\nshare: 1.5\nword: "a"\nlist: [1]\nno: null\n'

    data = source.parse(text, "plain.yaml").data

    assert data == {
        "flag": True,
        "count": 16,
        "share": 1.5,
        "word": "a",
        "list": [1],
        "no": None,
    }
    assert {type(value) for value in data.values()} == {
        bool,
        int,
        float,
        str,
        list,
        type(None),
    }


@pytest.mark.parametrize("word", ["yes", "no", "on", "off", "NO"])
def test_the_words_that_older_yaml_took_for_booleans_are_text(word):
    assert source.parse(f"country: {word}", "x.yaml").data == {"country": word}


def test_every_mistake_is_told_at_once_with_line_path_and_nearest_spelling():
    text = """\
naem: hall
shelves:
  - colour: BLUE
  - colour: BLEU
    widht: 3
  - {colour: GREEN,
     since: 2024-02-30}
"""

    told = mistakes_in(text)

    assert told == [
        "room.yaml:1: naem: There is no key “naem”. Did you mean “name”?",
        "room.yaml:1: name: This key is missing.",
        "room.yaml:4: shelves[1].colour: “BLEU” is not allowed here. Did you mean “BLUE”?",
        "room.yaml:5: shelves[1].widht: There is no key “widht”. Did you mean “width”?",
        "room.yaml:6: shelves[2].colour: “GREEN” is not allowed here. Allowed: 'RED' or 'BLUE'.",
        (
            "room.yaml:7: shelves[2].since: Input should be a valid date or datetime, day value is"
            " outside expected range. Found “2024-02-30”."
        ),
    ]


def test_a_key_near_to_none_is_answered_with_the_keys_allowed():
    told = mistakes_in("name: hall\nshelves: [{zzz: 1}]\n")

    assert told == [
        "room.yaml:2: shelves[0].zzz: There is no key “zzz”. Allowed here: colour, since, width."
    ]


def test_a_word_near_to_none_is_answered_with_the_words_allowed():
    told = mistakes_in("name: hall\nshelves: [{colour: 7}]\n")

    assert told == [
        "room.yaml:2: shelves[0].colour: “7” is not allowed here. Allowed: 'RED' or 'BLUE'."
    ]


def test_a_value_that_fits_no_branch_of_a_union_is_one_mistake_at_its_own_path():
    told = mistakes_in("name: hall\nsizes:\n  ok: 3\n  height: 1.5\n")

    assert len(told) == 1
    assert told[0].startswith("room.yaml:4: sizes.height: Input should be a valid boolean; or: ")
    assert told[0].endswith("Found “1.5”.")


def test_a_list_is_not_called_too_short_besides_when_its_only_part_is_wrong():
    assert mistakes_in("name: hall\ndoors: [PNIE]\n") == [
        "room.yaml:2: doors[0]: “PNIE” is not allowed here. Did you mean “PINE”?"
    ]


def test_a_list_that_is_too_short_is_called_so():
    (told,) = mistakes_in("name: hall\ndoors: []\n")

    assert told.startswith("room.yaml:2: doors: Tuple should have at least 1 item")


def test_a_part_of_a_document_keeps_the_lines_and_paths_of_the_whole():
    told = mistakes_in("name: hall\nshelf:\n  widht: 3\n", at=("shelf",))

    assert told == ["room.yaml:3: shelf.widht: There is no key “widht”. Did you mean “width”?"]


def test_a_part_that_is_not_there_is_read_as_empty():
    assert source.validate(source.parse("name: hall\n", "x.yaml"), Shelf, ("shelf",)) == Shelf()


@pytest.mark.parametrize("text", ["", "- hall\n", "hall\n"])
def test_a_document_of_another_sort_is_a_mistake_on_its_first_line(text):
    (told,) = mistakes_in(text)

    assert told.startswith("room.yaml:1: Input should be a valid dictionary")


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("name: a\nname: b\n", 2, "duplicate key"),
        ("name: a\nshelves: [1, 2\n", 3, "not YAML: expected"),
        ("name: a\n\tdoors: b\n", 2, "not YAML: "),
        ("name: a\n---\nname: b\n", 2, "another document"),
        ("name: a\nshelves: \x07\n", 2, "not YAML"),
    ],
)
def test_what_is_no_yaml_is_one_mistake_at_its_line(text, line, why):
    with pytest.raises(errors.MistakesError) as caught:
        source.parse(text, "room.yaml")

    (mistake,) = caught.value.mistakes
    assert (mistake.file, mistake.line) == ("room.yaml", line)
    assert why in mistake.sentence


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("name: !!python/object/apply:os.getcwd []\n", 1, "There are no tags (!) here"),
        ("name: a\nwidth: !!int wide\n", 2, "There are no tags (!) here"),
        ("name: *nowhere\n", 1, "There are no anchors (&) and aliases (*) here"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n", 1, "There are no anchors (&)"),
        ("? " * 60 + "a\n", 1, "A key is a word."),
        ("name: {[a, b]: c}\n", 1, "A key is a word."),
        ("[" * 100_000, 1, "This stands more than 80 levels deep."),
        ("- " * 500 + "a\n", 1, "This stands more than 80 levels deep."),
        ("\n".join("  " * n + "a:" for n in range(500)), 80, "more than 80 levels deep."),
        ("a: [" + "1," * 100_000 + "]\n", 1, "A file has at most 12,000 keys and values"),
        ("- a\n" * 12_001, 12_000, "A file has at most 12,000 keys and values; divide it."),
        ("a: 1\nb: " + "9" * 100_000 + "\n", 2, "A number is at most 1,000,000,000,000,000."),
        ("a: 0x" + "f" * 100_000 + "\n", 1, "A number is at most 1,000,000,000,000,000."),
        ("a: 1000000000000001\n", 1, "A number is at most 1,000,000,000,000,000."),
        ("a: " + "x" * 1_000_000 + "\n", 1, "A file has at most 262,144 bytes; divide it."),
        ("a: 字" + "字" * 87_381 + "\n", 1, "A file has at most 262,144 bytes; divide it."),
    ],
)
def test_what_no_file_of_ours_needs_is_refused_in_one_sentence(text, line, sentence):
    with pytest.raises(errors.MistakesError) as caught:
        source.parse(text, "room.yaml")

    (mistake,) = caught.value.mistakes
    assert (mistake.file, mistake.line) == ("room.yaml", line)
    assert sentence in mistake.sentence


def test_a_file_is_not_read_further_than_it_may_be_long(tmp_path):
    path = tmp_path / "room.yaml"
    path.write_bytes("字".encode() * source.MOST_BYTES)

    with pytest.raises(errors.MistakesError, match="at most 262,144 bytes"):
        source.read(path)


def test_what_is_as_large_as_it_may_be_is_read():
    deep = "[" * (source.MOST_DEPTH - 1) + str(source.MOST_NUMBER) + "]" * (source.MOST_DEPTH - 1)

    data = source.parse(deep, "deep.yaml").data

    for _ in range(source.MOST_DEPTH - 1):
        (data,) = data
    assert data == source.MOST_NUMBER


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "cannot be read: No such file"), (b"name: \xff\xfe\n", "not UTF-8")],
)
def test_a_file_that_cannot_be_read_is_a_mistake_under_the_name_it_is_shown_as(
    tmp_path: Path, content, why
):
    path = tmp_path / "room.yaml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(errors.MistakesError) as caught:
        source.read(path, "house/room.yaml")

    (mistake,) = caught.value.mistakes
    assert (mistake.file, mistake.line, mistake.path) == ("house/room.yaml", 1, "")
    assert why in mistake.sentence


@pytest.mark.parametrize(
    ("at", "line", "spelt"),
    [
        ((), 1, ""),
        (("shelves",), 2, "shelves"),
        (("shelves", 1, "width"), 4, "shelves[1].width"),
        (("shelves", 1, "nowhere"), 4, "shelves[1].nowhere"),
        (("shelves", 9), 2, "shelves[9]"),
        (("name", "en"), 1, "name.en"),
    ],
)
def test_a_mistake_stands_at_the_nearest_line_there_is(at, line, spelt):
    document = source.parse("name: hall\nshelves:\n  - colour: RED\n  - width: 2\n", "room.yaml")

    mistake = document.mistake(at, "Wrong.")

    assert (mistake.line, mistake.path) == (line, spelt)
