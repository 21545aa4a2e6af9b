"""The text that a person agrees to before anything personal is told to a partner.

PIPL, articles 14, 17, 23 and 28 to 31: it names the recipient and its contact, the purpose, the
means, the categories and how long they are kept, and a digest of it is what is agreed to: with
another word in it, it is another text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eligibility.disclosure import GUARDIAN, PATIENT, Policy
from models.verification import Category

#: Counts the wordings below; a new one is agreed to anew.
VERSION = 1
#: Under this age what is told of a child is sensitive personal information (PIPL, article 28).
SENSITIVE_UNDER = 14
LANGUAGES = ("en", "zh")

_CATEGORIES: Mapping[str, Mapping[Category, str]] = {
    "en": {
        Category.TIER: "the tier of your card",
        Category.NAME: "your name",
        Category.BIRTH_DATE: "your birth date",
        Category.EMPLOYER: "your employer",
        Category.DEPENDANT_NAME: "the names of the children named below",
        Category.DEPENDANT_BIRTH_DATE: "their birth dates, and what they are to you",
        Category.PSEUDONYM: "a name that this partner alone knows you by",
    },
    "zh": {
        Category.TIER: "人才卡等级",
        Category.NAME: "您的姓名",
        Category.BIRTH_DATE: "您的出生日期",
        Category.EMPLOYER: "您的工作单位",
        Category.DEPENDANT_NAME: "下列子女的姓名",
        Category.DEPENDANT_BIRTH_DATE: "其出生日期及与您的关系",
        Category.PSEUDONYM: "仅供该单位识别您的代号",
    },
}
_LINES: Mapping[str, Sequence[str]] = {
    "en": (
        "Separate consent to tell a partner what is yours (wording {version}, {policy})",
        "Recipient: {partner}. Contact: {contact}.",
        "Purpose: {service}.",
        "What is told: {categories}.",
        "How: Greenway tells it to this partner, encrypted, when your card is checked there.",
        (
            "How long: a consent for one code ends with the code, after 60 seconds; one for an "
            "offline pass after 7 days; a standing one on the day you choose, in a year at most. "
            "The recipient keeps what it was told for as long as the purpose or the law needs it."
        ),
        (
            "You may withdraw it in Greenway at any time; the next check is without it. You may "
            "say no: only what needs this information is not had then."
        ),
    ),
    "zh": (
        "关于向合作单位提供您个人信息的单独同意书（第{version}版，{policy}）",
        "接收方：{partner}。联系方式：{contact}。",
        "处理目的：{service}。",
        "提供的信息：{categories}。",
        "处理方式：在该单位核验您的人才卡时，由 Greenway 加密提供。",
        (
            "期限：针对单个动态码的同意随该码在60秒后失效；针对离线凭证的同意在7天后失效；"
            "长期同意在您选定的日期失效，最长一年。接收方仅在实现目的或法律要求所需的期限内保存。"
        ),
        (
            "您可随时在 Greenway 中撤回同意，撤回后的核验不再提供。"
            "您可以拒绝，仅无法使用需要上述信息的服务。"
        ),
    ),
}
_CHILDREN = {
    "en": "You agree as the guardian of: {children}.",
    "zh": "您作为监护人代为同意的子女：{children}。",
}
_UNDER = {
    "en": "What is told of a child under 14 is sensitive personal information; "
    "it is told because the school enrols by it.",
    "zh": "不满十四周岁未成年人的个人信息属于敏感个人信息，仅因学校办理入学所必需而提供。",
}
_HEALTH = {
    "en": "That you are told of to this recipient may say something of your health, which is "
    "sensitive personal information; it is told because care is given by name.",
    "zh": "向该单位提供信息可能反映您的健康状况，属于敏感个人信息，仅因实名就医所必需而提供。",
}
_COMMA = {"en": ", ", "zh": "、"}


@dataclass(frozen=True, slots=True)
class Child:
    """A child that a guardian agrees for; ``under_age`` is whether it is, or may be, under 14."""

    name: str
    under_age: bool


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is told, and for what, in the language of the text."""

    partner: str
    contact: str
    service: str


def text(
    policy: Policy, recipient: Recipient, language: str, children: Sequence[Child] = ()
) -> str:
    """Return the text that is shown, in one of ``LANGUAGES``."""
    comma, words = _COMMA[language], _CATEGORIES[language]
    said = {
        "version": VERSION,
        "policy": policy.code,
        "partner": recipient.partner,
        "contact": recipient.contact,
        "service": recipient.service,
        "categories": comma.join(words[one] for one in policy.categories),
    }
    lines = [line.format_map(said) for line in _LINES[language]]
    if policy is GUARDIAN:
        names = comma.join(one.name for one in children)
        lines.append(_CHILDREN[language].format(children=names))
    if any(one.under_age for one in children):
        lines.append(_UNDER[language])
    if policy is PATIENT:
        lines.append(_HEALTH[language])
    return "\n".join(lines)


def digest(said: str) -> str:
    """Return what a text is agreed to by: the SHA-256 of it, in hex."""
    return hashlib.sha256(said.encode()).hexdigest()
