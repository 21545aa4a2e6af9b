"""A request need not send its document whole, and may be held to what was published."""

from __future__ import annotations

import graphql
import pytest

from models import errors
from models.document import Sent
from resolvers.document import Published, hash_of
from schema.execution import documents
from schema.execution.documents import Client, Documents
from schema.execution.review import Review

MENU = "query Menu { areas { code } }"
OTHER = "query Other { categories { code } }"


@pytest.fixture
def published():
    """What is published: one document."""
    found = Published(None)
    found.by_hash, found.texts = {hash_of(MENU): MENU}, frozenset({MENU})
    return found


@pytest.fixture
def any_document(published):
    return Documents(published, lambda text: "broken" not in text)


@pytest.fixture
def trusted(published):
    return Documents(published, lambda _: True, trusted_only=True)


def apq(text: str, version: object = 1) -> dict[str, object]:
    return {"persistedQuery": {"version": version, "sha256Hash": hash_of(text)}}


# ── any document ─────────────────────────────────────────────────────────────────────────────


def test_a_plain_text_is_no_concern(any_document):
    assert not any_document.concern(OTHER, None, None)
    assert not any_document.concern(OTHER, None, {"plan": "with"})


@pytest.mark.parametrize(
    ("query", "document_id", "extensions"),
    [
        (None, None, None),
        ("", None, None),
        (None, f"sha256:{hash_of(MENU)}", None),
        (OTHER, None, apq(OTHER)),
        (None, None, apq(OTHER)),
    ],
)
def test_whatever_is_not_plain_is_a_concern(any_document, query, document_id, extensions):
    assert any_document.concern(query, document_id, extensions)


def test_a_text_is_asked_for_once_and_then_known_by_its_hash(any_document):
    with pytest.raises(errors.UnknownDocumentError, match=r"^PersistedQueryNotFound$"):
        any_document.resolved(None, None, apq(OTHER))

    assert any_document.resolved(OTHER, None, apq(OTHER)) == OTHER
    assert any_document.resolved(None, None, apq(OTHER)) == OTHER
    assert any_document.resolved(None, f"sha256:{hash_of(OTHER)}") == OTHER


def test_a_published_text_is_known_without_having_been_sent(any_document):
    assert any_document.resolved(None, f"sha256:{hash_of(MENU)}") == MENU
    assert any_document.resolved(None, hash_of(MENU)) == MENU
    assert any_document.resolved(None, None, apq(MENU)) == MENU


def test_a_text_under_the_hash_of_another_is_refused_and_not_kept(any_document):
    with pytest.raises(errors.BadInputError, match="not the SHA-256"):
        any_document.resolved("query Forged { me { name } }", None, apq(OTHER))

    with pytest.raises(errors.UnknownDocumentError):
        any_document.resolved(None, None, apq(OTHER))


def test_a_text_that_may_not_run_is_run_into_its_refusal_and_not_kept(any_document):
    broken = "query Broken { broken }"

    assert any_document.resolved(broken, None, apq(broken)) == broken
    with pytest.raises(errors.UnknownDocumentError):
        any_document.resolved(None, None, apq(broken))


@pytest.mark.parametrize("document_id", ["", "sha256:", "md5:abc", "sha256:" + "A" * 64, 7, [], {}])
def test_what_is_no_hash_is_refused(any_document, document_id):
    with pytest.raises(errors.BadInputError, match="`documentId` is no SHA-256"):
        any_document.resolved(None, document_id)


@pytest.mark.parametrize(
    "said", [{}, [], 1, "x", {"version": 2, "sha256Hash": hash_of(MENU)}, {"version": 1}]
)
def test_a_persisted_query_of_another_shape_is_refused(any_document, said):
    with pytest.raises(errors.BadInputError, match="persistedQuery"):
        any_document.resolved(MENU, None, {"persistedQuery": said})


def test_texts_are_kept_within_a_bound_and_the_last_used_stay(any_document, monkeypatch):
    texts = [f"query Q{n:03} {{ areas {{ code }} }}" for n in range(100)]
    monkeypatch.setattr(documents, "MOST_KEPT", 10 * len(texts[0]))

    for text in texts:
        any_document.resolved(text, None, apq(text))
        any_document.resolved(None, None, apq(texts[0]))

    assert any_document.resolved(None, None, apq(texts[0])) == texts[0]
    assert any_document.resolved(None, None, apq(texts[-1])) == texts[-1]
    with pytest.raises(errors.UnknownDocumentError):
        any_document.resolved(None, None, apq(texts[1]))
    assert len(any_document._kept) == 10


# ── trusted documents ────────────────────────────────────────────────────────────────────────


def test_a_published_text_runs_however_it_is_named(trusted):
    assert trusted.concern(MENU, None, None)
    assert trusted.resolved(MENU) == MENU
    assert trusted.resolved(MENU, None, apq(MENU)) == MENU
    assert trusted.resolved(None, f"sha256:{hash_of(MENU)}") == MENU


@pytest.mark.parametrize(
    ("query", "extensions"), [(OTHER, None), (OTHER, apq(OTHER)), (None, apq(OTHER))]
)
def test_what_nobody_published_is_not_run_and_the_application_is_named(trusted, query, extensions):
    with pytest.raises(errors.UntrustedDocumentError, match=r"^web 1\.4\.0 did not publish"):
        trusted.resolved(query, None, extensions, client=Client("web", "1.4.0"))
    with pytest.raises(errors.UntrustedDocumentError, match=r"^Nobody published"):
        trusted.resolved(query, None, extensions)


def test_a_space_more_is_another_text(trusted):
    with pytest.raises(errors.UntrustedDocumentError):
        trusted.resolved(f"{MENU} ")


def test_who_explores_may_run_anything(trusted):
    assert trusted.resolved(OTHER, explores=True) == OTHER


def test_what_is_retired_runs_no_longer(trusted, published):
    published.by_hash, published.texts = {}, frozenset()

    with pytest.raises(errors.UntrustedDocumentError):
        trusted.resolved(None, f"sha256:{hash_of(MENU)}")


# ── who sends it ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("named_by", documents._NAMED_BY)
def test_an_application_is_named_by_any_of_the_usual_headers(named_by):
    name, version = named_by

    assert Client.of({name: "web", version: "1.4.0"}) == Client("web", "1.4.0")
    assert str(Client.of({name: "web"})) == "web"


def test_our_own_headers_go_first_and_none_is_nobody():
    both = {"apollographql-client-name": "other", "x-greenway-app": "web"}

    assert Client.of(both).name == "web"
    assert Client.of({}) == documents.NOBODY


def test_what_is_shown_of_an_application_is_one_bounded_line():
    found = Client.of({"x-greenway-app": "web\r\nset-cookie: x" + "y" * 500})

    assert str(found).isprintable()
    assert len(str(found)) < 70


# ── what does not hold ───────────────────────────────────────────────────────────────────────


async def test_the_log_is_told_of_published_documents_that_do_not_hold(caplog):
    review = Review(graphql.build_schema("type Query { areas: [Area!]! } type Area { id: ID! }"))
    good, bad = "query Good { areas { id } }", MENU
    sent = [Sent("web", "1.4.0", hash_of(text), text) for text in (good, bad)]

    await documents.warn(review, sent)

    (record,) = caplog.records
    assert record.getMessage() == (
        "a published document does not hold: web 1.4.0, Menu: "
        "Cannot query field 'code' on type 'Area'."
    )
