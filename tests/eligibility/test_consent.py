from __future__ import annotations

import pytest

from eligibility import consent, disclosure

RECIPIENT = consent.Recipient("Ember Hospital", "privacy@ember.example", "Medical green channel")
PERSONAL = [one for one in disclosure.POLICIES.values() if one.personal]
CHILD = consent.Child("Quill Emberwick", under_age=True)


@pytest.mark.parametrize("language", consent.LANGUAGES)
@pytest.mark.parametrize("policy", PERSONAL, ids=lambda one: one.code)
def test_a_text_names_recipient_contact_purpose_policy_and_every_category(policy, language):
    said = consent.text(policy, RECIPIENT, language, [CHILD])

    words = consent._CATEGORIES[language]
    for part in (
        RECIPIENT.partner,
        RECIPIENT.contact,
        RECIPIENT.service,
        policy.code,
        *(words[category] for category in policy.categories),
    ):
        assert part in said


@pytest.mark.parametrize("language", consent.LANGUAGES)
def test_only_a_guardian_s_text_speaks_of_children_and_of_under_14_only_where_one_is(language):
    older = consent.Child("Quill Emberwick", under_age=False)

    patient = consent.text(disclosure.PATIENT, RECIPIENT, language)
    young = consent.text(disclosure.GUARDIAN, RECIPIENT, language, [CHILD])
    grown = consent.text(disclosure.GUARDIAN, RECIPIENT, language, [older])

    assert CHILD.name not in patient
    assert CHILD.name in young
    assert consent._UNDER[language] in young
    assert consent._UNDER[language] not in grown


def test_a_text_with_another_word_in_it_has_another_digest():
    texts = [
        consent.text(policy, recipient, language, [CHILD])
        for policy in PERSONAL
        for recipient in (
            RECIPIENT,
            consent.Recipient("Ember Hospital", "other@ember.example", RECIPIENT.service),
            consent.Recipient("Ember Hospital", RECIPIENT.contact, "Physical check"),
        )
        for language in consent.LANGUAGES
    ]

    assert len({consent.digest(one) for one in texts}) == len(texts)


def test_braces_in_a_partner_s_name_are_letters_like_others():
    odd = consent.Recipient("{contact} {0}", "privacy@ember.example", "Care")

    assert "{contact} {0}" in consent.text(disclosure.PATIENT, odd, "en")
