"""A small issue, its settings, a reader and the message made of them, in memory, for tests of the message."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from mailer.compose.marks import SLOTS, Marks
from mailer.compose.message import MessageTemplate, compile_message
from mailer.compose.personal import Personaliser
from mailer.models import Issue, Subscriber
from mailer.settings import Config
from mailer.tokens import Tokens

DATE = "Fri, 14 Dec 2018 08:00:00 +0000"
TOKENS = Tokens("enterprises.example.org", b"a key of 32 bytes, for tests only")
CONFIG = Config.model_validate(
    {
        "newsletter": {
            "name": "Enterprises Newsletter",
            "sender": "Enterprises <newsletter@example.org>",
            "reply_to": "enterprises@example.org",
            "list_id": "enterprises.example.org",
            "public_url": "https://newsletter.example.org",
            "postal_address": "1 Example Street, Exampletown",
        },
        "interests": {"cooperatives": "Cooperatives", "green-jobs": "Green jobs & skills"},
    }
)
ISSUE = Issue(
    slug="2018-12",
    path=Path("issues/2018-12/issue.md"),
    digest="0123456789abcdef" * 4,
    title="Enterprises Newsletter",
    date=date(2018, 12, 14),
    subject="Decent work at the Games",
    preheader="",
    language="en",
    template="enterprises",
    sections=(),
)
MARKS = Marks.of(ISSUE)
ANN = Subscriber("ann@example.org", id=42, name="Ann Example", interests=("green-jobs", "cooperatives"))


def settings(**newsletter: Any) -> Config:
    """CONFIG with other settings of its newsletter, checked like a file's."""
    given = CONFIG.model_dump(exclude_unset=True)
    wanted = {name: value for name, value in (given["newsletter"] | newsletter).items() if value}
    return Config.model_validate(given | {"newsletter": wanted})


def personaliser(config: Config = CONFIG, inert: bool = False, **issue: Any) -> Personaliser:
    """Makes the values of readers of ISSUE."""
    return Personaliser(replace(ISSUE, **issue), config, TOKENS, "reader", "all topics", inert)


def html_page(name: str, url_name: str, web: str) -> str:
    """A page with a name in text, in an attribute and in an address."""
    return (
        f'<html><body><p title="{name}">Dear <b>{name}</b>,</p>\n<a href="{web}">all</a><a href="{web}#x">one</a>'
        f'<a id="query" href="https://example.org/?n={url_name}&amp;m=1">you</a></body></html>\n'
    )


def text_page(name: str, web: str) -> str:
    """Its text part, with all that a transport might change."""
    return f"Dear {name},\n\n{name}\n<{web}>\n.\n..\nFrom here\n{name}"


SLOT = {name: str(MARKS.slot(name)) for name in SLOTS}
TEMPLATE = compile_message(
    ISSUE,
    html_page(SLOT["name"], SLOT["name"], SLOT["web_url"]),
    text_page(SLOT["name"], SLOT["web_url"]),
    CONFIG,
    MARKS,
)


def filled(subscriber: Subscriber = ANN, template: MessageTemplate = TEMPLATE, utf8: bool = False) -> bytes:
    """The message of one reader."""
    return template.fill(personaliser().personal(subscriber), DATE, utf8)
