"""People are found whole, in order, page by page and by any part of a name that counts."""

from __future__ import annotations

import itertools

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from models import database as databases
from models import demo, dossier, errors, page, talent
from tests import factories

HIGH, LOW = talent.TalentClass.HIGH, talent.TalentClass.LOW


async def save(database, *people):
    async with database.begin() as session:
        session.add_all(people)
        await session.flush()
        rows = [row for person in people for row in factories.tokens_of(person)]
        await session.execute(sa.insert(talent.name_token), rows)


async def found(database, wanted, first=100):
    """Everybody the filter lets through, by walking all the pages."""
    names, after = [], None
    while True:
        async with database.session() as session:
            answer = await talent.page(session, wanted, first, after)
        names += answer.items
        if not answer.has_next:
            return names
        after = answer.cursors[-1]


@pytest.fixture
def statements():
    """The SQL that was sent while the test ran."""
    sent = []

    def note(connection, cursor, statement, *rest):
        sent.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    yield sent
    sa.event.remove(sa.Engine, "before_cursor_execute", note)


async def test_people_come_whole_in_the_order_asked_and_none_for_nobody(database):
    team = factories.a_team()
    rich = factories.a_talent(
        handle="rich",
        degrees=[factories.a_degree()],
        employments=[factories.an_employment()],
        permits=[factories.a_permit(), factories.a_permit()],
        household=[factories.a_member(owns_home=False)],
        awards=[factories.an_award()],
        attestations=[
            factories.an_attestation(name=name, value=value)
            for name, value in [("no", False), ("zero", 0), ("one", 1), ("day", "2026-06-01")]
        ],
        teams=[team],
        cards=[factories.a_card()],
    )
    await save(database, rich, factories.a_talent(handle="poor", teams=[team]))

    async with database.session() as session:
        asked = ["poor", "nobody", "rich", "poor", "\x00", "' OR 1=1"]
        poor, nobody, whole, again, *garbage = await dossier.by_handles(session, asked)

    assert (nobody, again, garbage) == (None, poor, [None, None])
    assert (poor.birth_date, poor.permits, poor.teams[0].name) == (None, [], "Team Quill")
    assert whole.employments[0].organisation.name_zh == "羽湖公司"
    assert [row.value for row in whole.attestations] == [False, 0, 1, "2026-06-01"]
    assert [type(row.value) for row in whole.attestations] == [bool, int, int, str]
    assert (whole.household[0].owns_home, whole.household[0].had_housing_benefit) == (False, None)
    assert (len(whole.permits), len(whole.cards), len(whole.degrees)) == (2, 1, 1)
    assert whole.awards[0].source == "a test"


async def test_people_by_id_are_the_same_people(database):
    await save(database, factories.a_talent(handle="one"), factories.a_talent(handle="two"))

    async with database.session() as session:
        one, two = await dossier.by_handles(session, ["one", "two"])
        answer = await dossier.by_ids(session, [two.id, 404, one.id])

    assert [person and person.id for person in answer] == [two.id, None, one.id]


@pytest.mark.parametrize("many", [1, 100])
async def test_however_many_people_come_whole_in_one_statement(database, statements, today, many):
    await demo.build(database, many, today)
    statements.clear()

    async with database.session() as session:
        people = await dossier.by_handles(session, [demo.handle(n) for n in range(1, many + 1)])

    assert None not in people
    assert len([sql for sql in statements if "SELECT" in sql]) == 1


async def test_what_a_page_did_not_load_raises_instead_of_asking(database):
    await save(database, factories.a_talent())

    [person] = await found(database, talent.Filter())

    with pytest.raises(exc.InvalidRequestError, match="lazy"):
        assert person.degrees


async def test_pages_of_any_size_walk_the_same_people_under_every_filter(database, today):
    await demo.build(database, 120, today)
    everybody = await found(database, talent.Filter())
    assert len(everybody) == 120

    for talent_class, industry, district, text in itertools.product(
        (None, HIGH, LOW), (None, "civil-aviation"), (None, "changning", "putuo"), (None, "x", "竹")
    ):
        wanted = talent.Filter(talent_class, industry, district, text)
        expected = [
            person.id
            for person in everybody
            if talent_class in (None, person.talent_class)
            and industry in (None, person.industry)
            and district in (None, person.district)
            and (text != "x" or " x" in person.name_key)
            and (text != "竹" or "竹" in person.name_key)
        ]
        async with database.session() as session:
            counted = await talent.count(session, wanted)

        assert [person.id for person in await found(database, wanted, 7)] == expected, wanted
        assert counted == len(expected)


@pytest.mark.parametrize(
    ("text", "finds"),
    [
        ("zoe", {"Zoë D’Arvane"}),
        ("ZOË", {"Zoë D’Arvane"}),
        ("darv", {"Zoë D’Arvane"}),
        ("d'arvane", {"Zoë D’Arvane"}),
        ("arvane", set()),
        ("dar zo", {"Zoë D’Arvane"}),
        ("dar quill", set()),
        ("ＴＡＮ", {"檀灯月"}),
        ("灯", {"檀灯月", "灯"}),
        ("灯月", {"檀灯月"}),
        ("月灯", set()),
        ("檀 deng", {"檀灯月"}),
        ("ポ", {"ポル・ツタ"}),
        ("longname" * 9, {"Longname" * 9}),
        ("longname" * 9 + "x", set()),
        ("  ", None),
        ("", None),
        ("%", set()),
        ("_", set()),
        ("\x00'\ud800", set()),
    ],
)
async def test_a_name_is_found_by_the_start_of_a_word_or_any_part_of_a_cjk_name(
    database, text, finds
):
    names = ["Zoë D’Arvane", "灯", "ポル・ツタ", "Longname" * 9]
    people = [factories.a_talent(name=name) for name in names]
    people.append(factories.a_talent(name="檀灯月", name_latin="Tan Dengyue"))
    await save(database, *people)

    answer = {person.name for person in await found(database, talent.Filter(text=text))}

    assert answer == ({person.name for person in people} if finds is None else finds)


async def crowd(database, names):
    """Save very many people, whose words are all there is of them."""
    noon = factories.a_talent().recorded_at
    words = [(name.lower().split(), number) for number, name in enumerate(names, 1)]
    async with database.begin() as session:
        people = [
            (f"h{n}", "A Name", None, f" {' '.join(of)}", None, None,
             "changning", HIGH if n % 2 else LOW, None, None, "a test", noon)
            for of, n in words
        ]  # fmt: skip
        await databases.load(session, talent.Talent.__table__, people)
        tokens = [(word, n) for of, n in words for word in of]
        await databases.load(session, talent.name_token, tokens)


async def test_words_that_very_many_share_find_the_same_as_rare_ones(database):
    many = talent.RARE + 50
    await crowd(database, [f"Common Name{n % 7}" for n in range(1, many + 1)])

    shared = await found(database, talent.Filter(text="COMM"))
    both = await found(database, talent.Filter(text="comm name3", talent_class=HIGH), 50)
    pair = await found(database, talent.Filter(text="name common"))

    assert [person.id for person in shared] == list(range(1, many + 1))
    assert [person.id for person in both] == [n for n in range(1, many + 1) if n % 14 == 3]
    assert [person.id for person in pair] == [person.id for person in shared]


async def test_two_words_of_very_many_find_the_few_who_have_both(database):
    many = talent.RARE + 50
    await crowd(database, ["Left"] * many + ["Left Right"] * 3 + ["Right"] * many)

    both = await found(database, talent.Filter(text="right left"))

    assert [person.id for person in both] == [many + 1, many + 2, many + 3]


async def test_people_added_behind_the_cursor_shift_no_page(database):
    await save(database, *(factories.a_talent(id=number) for number in (10, 20, 30)))
    async with database.session() as session:
        first = await talent.page(session, talent.Filter(), 2)
    await save(database, factories.a_talent(id=15), factories.a_talent(id=25))

    async with database.session() as session:
        second = await talent.page(session, talent.Filter(), 2, first.cursors[-1])

    assert [person.id for person in second.items] == [25, 30]


async def test_a_cursor_of_another_filter_or_of_nobodys_making_is_refused(database):
    await save(database, *(factories.a_talent(district="putuo") for _ in range(3)))
    async with database.session() as session:
        cursor = (await talent.page(session, talent.Filter(), 1)).cursors[0]

        for wanted, after in [
            (talent.Filter(district="putuo"), cursor),
            (talent.Filter(), cursor[:-2]),
            (talent.Filter(), ""),
            (talent.Filter(), page.Scope("cards").cursor("1")),
        ]:
            with pytest.raises(errors.BadCursorError):
                await talent.page(session, wanted, 1, after)


@pytest.mark.parametrize("wrong", [{"industry": "a b"}, {"district": "\x00"}, {"text": "x" * 101}])
def test_a_filter_that_can_stand_in_no_row_is_bad_input(wrong):
    with pytest.raises(errors.BadInputError, match=next(iter(wrong))):
        talent.Filter(**wrong)


async def test_whom_a_filter_passes_by_costs_no_row(tmp_path, statements):
    data = databases.Database(f"sqlite:///{tmp_path}/plans.db")
    await data.upgrade()

    for lead, wanted in {
        "id": talent.Filter(),
        "talent_class": talent.Filter(HIGH),
        "industry": talent.Filter(industry="civil-aviation"),
        "district": talent.Filter(district="putuo"),
    }.items():
        async with data.session() as session:
            await talent.page(session, wanted)
            asked = await session.connection()
            values = ("x",) * statements[-1].count("?")
            plan = await asked.exec_driver_sql(f"EXPLAIN QUERY PLAN {statements[-1]}", values)
            steps = [row.detail for row in plan]
        assert any(f"COVERING INDEX ix_talent_by_{lead} " in step for step in steps), steps
        assert not any("SCAN talent" in step or "B-TREE" in step for step in steps), steps
    await data.close()
