import json

import pytest

from connectors import base, credential, http, manifest, registry
from models import errors, offer, source

KINDS = registry.kinds()

GOOD = """\
slug: loopback-hospital
kind: hospital
name: {en: Loopback Hospital}
owner: Connector team
about: {en: Appointments.}
documentation: docs/connecting.md#hospital
district: changning
address: https://hospital.example/fhir/r4/
examples:
  - name: none free
    inquiries:
      - capability: appointment
        topic: dental
        since: 2026-11-23T00:00:00+08:00
        until: "2026-11-24T00:00:00+08:00"
    replies:
      - {path: Slot, json: {resourceType: Bundle}}
    offers: [[]]
"""

GOOD_DATA = source.parse(GOOD, "good.yaml").data


@pytest.fixture
def load(tmp_path):
    def load(text, name="loopback-hospital"):
        path = tmp_path / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return manifest.load(path, KINDS)

    return load


@pytest.fixture
def mistakes(load):
    """Return the mistakes of a text as (line, path, sentence and hint)."""

    def mistakes(text, name="loopback-hospital"):
        with pytest.raises(errors.MistakesError) as wrong:
            load(text, name)
        return [(one.line, one.path, f"{one.sentence} {one.hint}") for one in wrong.value.mistakes]

    return mistakes


def test_a_file_without_mistakes_is_its_shape_its_kind_and_its_options(load):
    entry = load(GOOD + "limits: {deadline_seconds: 3, body_bytes: 10}\n")

    assert entry.kind is KINDS["hospital"]
    assert isinstance(entry.options, entry.kind.options_model)
    assert entry.manifest.limits.policy() == http.Policy(deadline_seconds=3, body_bytes=10)
    assert entry.manifest.freshness.fresh_seconds == 30


def test_limits_left_out_are_the_clients_own(load):
    assert load(GOOD).manifest.limits.policy() == http.Policy()


def test_an_example_is_played_as_the_contract_tests_expect(load):
    (example,) = load(GOOD).manifest.examples

    played = example.played()

    assert played.inquiries[0].capability is offer.Capability.APPOINTMENT
    assert played.inquiries[0].since.isoformat() == "2026-11-23T00:00:00+08:00"
    assert played.replies == (base.Reply(path="Slot", body='{"resourceType": "Bundle"}'),)
    assert played.offers == ((),)


def test_all_mistakes_come_at_once_with_line_path_and_the_nearest_right_spelling(mistakes):
    text = GOOD.replace("kind: hospital", "kind: hopsital").replace("owner:", "ownerr:")

    found = mistakes(
        text.replace("Slot", "Slot, statusx: 200") + "limits: {attempts: 9}\n", "other"
    )

    assert {(line, path) for line, path, _ in found} == {
        (1, "slug"),
        (2, "kind"),
        (1, "owner"),
        (4, "ownerr"),
        (17, "examples[0].replies[0].statusx"),
        (19, "limits.attempts"),
    }
    told = {path: sentence for _, path, sentence in found}
    assert "“other”" in told["slug"]
    assert "“hospital”" in told["kind"]
    assert "“owner”" in told["ownerr"]
    assert "missing" in told["owner"]
    assert "“status”" in told["examples[0].replies[0].statusx"]
    assert "less than or equal to 5" in told["limits.attempts"]


def test_the_kinds_own_options_are_checked_with_their_lines(mistakes):
    found = mistakes(GOOD + "options:\n  page_sise: 5\n")

    assert [(line, path) for line, path, _ in found] == [(20, "options.page_sise")]
    assert "“page_size”" in found[0][2]


SECRET = "Zx9kQ2mPf7Lw"  # noqa: S105 - what a secret looks like


@pytest.mark.parametrize(
    "given",
    [
        f"header: {{name: X-Api-Key, secret: {SECRET}}}",
        f"header: {{name: X-Api-Key, value: {SECRET}}}",
        f"basic: {{user: hub, secret: [{SECRET}]}}",
        f"query: {SECRET}",
        f"{{oauth2: {{token_path: t, client_id: c, secret: 'Bearer {SECRET}'}}}}",
        f"[{SECRET}]",
        SECRET,
    ],
)
def test_what_looks_like_a_secret_is_refused_and_not_repeated(mistakes, given):
    text = f"credentials:\n  {given}\n"

    found = mistakes(GOOD + text)

    assert all(path.startswith("credentials") for _, path, _ in found)
    assert SECRET not in str(found)


@pytest.mark.parametrize(
    "secret", ["a1b2c3d4e5f6", "deadbeefdeadbeefdeadbeefdead", "sk_live", "123456789", "Key", "a b"]
)
def test_secret_names_are_plain_words(mistakes, secret):
    found = mistakes(GOOD + f"credentials: {{header: {{name: N, secret: '{secret}'}}}}\n")

    assert [path for _, path, _ in found] == ["credentials.header.secret"]


@pytest.mark.parametrize(
    "secret", ["first-bank-token", "oauth2-client-2", "key", "bank-token-2026"]
)
def test_secret_names_of_words_pass(load, secret):
    entry = load(GOOD + f"credentials: {{header: {{name: N, secret: {secret}}}}}\n")

    assert manifest.credentials(entry, {secret: "s"}) == credential.Header("N", "s")


@pytest.mark.parametrize(
    ("given", "signed"),
    [
        ("header: {name: N, secret: key}", credential.Header("N", "s")),
        ("basic: {user: hub, secret: key}", credential.Basic("hub", "s")),
        ("query: {name: n, secret: key}", credential.QueryKey("n", "s")),
        (
            "oauth2: {token_path: t, client_id: c, secret: key, scopes: [a, b]}",
            credential.OAuth2("t", "c", "s", ("a", "b")),
        ),
    ],
)
def test_credentials_are_signed_with_the_secret_of_their_name(load, given, signed):
    entry = load(GOOD + f"credentials: {{{given}}}\n")

    assert manifest.credentials(entry, {"key": "s"}) == signed


def test_a_file_without_credentials_shows_none(load):
    assert manifest.credentials(load(GOOD), {}) is None


def test_exactly_one_way_to_show_credentials(mistakes):
    both = "credentials: {basic: {user: u, secret: k}, query: {name: n, secret: k}}\n"

    assert "exactly one" in str(mistakes(GOOD + both))
    assert "exactly one" in str(mistakes(GOOD + "credentials: {}\n"))


def test_a_secret_that_the_hub_was_not_given_is_a_mistake_with_its_line(load):
    entry = load(GOOD + "credentials:\n  header: {name: N, secret: lost-key}\n")

    with pytest.raises(errors.MistakesError, match=r":20: credentials.header.secret: .*lost-key"):
        manifest.credentials(entry, {"other-key": "s"})


@pytest.mark.parametrize(
    ("given", "resolved"),
    [
        ("https://hospital.example/fhir/", "https://hospital.example/fhir/"),
        ("sandbox:hospital/a/fhir/", "http://127.0.0.1:1/a/fhir/"),
        ("sandbox:hospital", "http://127.0.0.1:1/"),
    ],
)
def test_an_address_in_the_sandbox_is_found_where_that_runs(load, given, resolved):
    entry = load(GOOD.replace("https://hospital.example/fhir/r4/", given))

    assert manifest.address(entry, {"hospital": "http://127.0.0.1:1"}) == resolved


def test_a_sandbox_system_that_does_not_run_is_a_mistake(load):
    entry = load(GOOD.replace("https://hospital.example/fhir/r4/", "sandbox:hopsital/"))

    with pytest.raises(errors.MistakesError, match="Did you mean “hospital”"):
        manifest.address(entry, {"hospital": "http://127.0.0.1:1"})


@pytest.mark.parametrize(
    "given",
    [
        "ftp://hospital.example/",
        "hospital.example",
        "https://",
        "https://user:pass@hospital.example/",
        "https://hospital.example/?key=1",
        "https://hospital.example:99999/",
        "https://[hospital/",
        "file:///etc/hosts",
        "'sandbox:'",
        "'https://hospital.example/a b'",
    ],
)
def test_an_address_is_a_base_url_and_nothing_else(mistakes, given):
    found = mistakes(GOOD.replace("https://hospital.example/fhir/r4/", given))

    assert [(line, path) for line, path, _ in found] == [(8, "address")]


def test_an_example_asks_what_its_kind_gives(mistakes):
    found = mistakes(GOOD.replace("capability: appointment", "capability: showing"))

    assert [path for _, path, _ in found] == ["examples[0].inquiries[0].capability"]


SCHOOL = """\
slug: loopback-school
kind: school
name: {en: Loopback School}
owner: Connector team
about: {en: Places.}
documentation: docs/connecting.md#school
district: changning
address: https://school.example/
supplies: [children_at_district_school]
examples:
  - name: two children
    about: {subject: somebody, facts: [children_at_district_school]}
    replies:
      - {path: users, json: {users: []}}
    facts: {children_at_district_school: 2}
"""


def test_an_example_of_facts_is_played_as_the_contract_tests_expect(load):
    entry = load(SCHOOL, "loopback-school")

    (played,) = (example.played() for example in entry.manifest.examples)

    assert (played.subject, played.inquiries) == ("somebody", ())
    assert played.wanted == {"children_at_district_school"}
    assert played.facts == {"children_at_district_school": 2}


@pytest.mark.parametrize(
    ("old", "new", "path", "sentence"),
    [
        (
            "supplies: [children_at_district_school]",
            "supplies: [children_at_school]",
            "supplies[0]",
            "supplies no “children_at_school”. Did you mean “children_at_district_school”?",
        ),
        (
            "supplies: [children_at_district_school]",
            "supplies: [age]",
            "supplies[0]",
            "supplies no “age”. It supplies: children_at_district_school.",
        ),
        (
            "facts: {children_at_district_school: 2}",
            "facts: {}",
            "supplies[0]",
            "No example shows `children_at_district_school`. Add one under `examples`.",
        ),
        (
            "somebody, facts: [children_at_district_school]",
            "somebody, facts: [children]",
            "examples[0].about.facts[0]",
            "This file supplies no “children”.",
        ),
        (
            "    about: {subject: somebody, facts: [children_at_district_school]}\n",
            "",
            "examples[0]",
            "Give inquiries, or about whom facts are wanted, or an order.",
        ),
    ],
)
def test_what_a_file_supplies_is_what_its_kind_can_and_an_example_shows(
    mistakes, old, new, path, sentence
):
    told = {at: said for _, at, said in mistakes(SCHOOL.replace(old, new), "loopback-school")}

    assert sentence in told[path]


def test_a_kind_that_supplies_nothing_says_so(mistakes):
    [(_, path, sentence)] = mistakes(GOOD + "supplies: [age]\n")

    assert path == "supplies[0]"
    assert sentence == "The kind “hospital” supplies no “age”. It supplies: nothing."


def test_an_example_tells_the_offers_of_each_inquiry_or_the_problem(load, mistakes):
    assert "for each inquiry" in str(mistakes(GOOD.replace("offers: [[]]", "offers: [[], []]")))
    assert load(GOOD.replace("offers: [[]]", "problem: PARTNER_UNWELL"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "- 1",
        "slug: [1]\nkind: {a: 1}",
        "kind: !!python/name:os.system",
        "a: &a [*a]",
        "a: 1\na: 2",
    ],
)
def test_whatever_stands_in_the_file_is_told_as_mistakes(mistakes, text):
    assert mistakes(text)


@pytest.mark.parametrize("key", sorted(GOOD_DATA))
@pytest.mark.parametrize("odd", [None, [], {}, 7, ""])
def test_an_odd_value_under_any_key_is_a_mistake_there(mistakes, key, odd):
    # JSON is YAML too.
    text = json.dumps({**GOOD_DATA, key: odd}, default=str)

    found = mistakes(text)

    assert any(path.startswith(key) for _, path, _ in found)


def test_every_key_is_described():
    undescribed = [
        f"{form.__name__}.{name}"
        for form in manifest.Form.__subclasses__()
        for name, one in form.model_fields.items()
        if not one.description
    ]

    assert undescribed == []


def test_check_tells_the_mistakes_of_every_file(tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(GOOD.replace("loopback-hospital", name + "s"))

    found = registry.check([tmp_path])

    assert [(one.file.rpartition("/")[2], one.path) for one in found] == [
        ("one.yaml", "slug"),
        ("two.yaml", "slug"),
    ]
