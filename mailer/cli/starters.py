"""What `mailer init` and `mailer new` write: a configuration, and an issue with an example of each kind of item."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from mailer.compose.checks import placeholders
from mailer.compose.outline import slug_from_title
from mailer.newsroom import clock

NAME = "Our Newsletter"
IGNORED = ("build/", "subscribers/*.db*", "subscribers/.*", "subscribers/*.csv")

_CONFIG = """\
# The newsroom's configuration. Every mail uses what stands here; put in your own.

[newsletter]
name = {name}
sender = {sender}
reply_to = {reply_to}
list_id = "{slug}.{domain}"
public_url = {public_url}   # where the reader's pages and pictures are reached
postal_address = {postal_address}
language = {language}
template = "enterprises"                        # the folder in templates/

[interests]                                     # the topics, in the order shown
{interests}

# [words]                                       # what speaks for a topic in a draft that `mailer import` takes in
# {first} = ["a word", "another word"]

[smtp]
url = {smtp}                   # smtp://, smtp+starttls:// or smtps://, with user@ where needed
connections = 4
"""

_ISSUE = """\
---
title: {title}
date: {date}
# number: "No. 12"                     shown beside the date
subject: {subject}
preheader: {preheader}
# masthead: images/masthead.png        a picture above the welcome
# masthead_alt: "What it shows"        for those who do not see it
---

<!-- Notes like this one are for those who write; no reader gets them. Take out what you do not need. -->

A word of welcome, for everybody.

<!-- A line with # begins a section. When all its stories fall away for a reader, its heading does, too. -->

# Top stories

<!-- A line with ## begins a story. #first-story is its name in the log; topics= says who gets it. -->

## {story} {{#first-story topics={first}}}

<!-- A picture right under the title leads the story. Put its file into images/ and take this line and the last away:
![What it shows, for those who do not see it](images/first-story.png)
-->

Two to five short paragraphs. Links say [what they lead to](https://example.org/study). Words can be *stressed* or
**strong**. Lists stay lists:

- the first point;
- the second point.

<!-- A link with .button, alone in the last paragraph, is where the story leads. The title links there, too. -->

[Read the report](https://example.org/report){{.button}}

<!-- A story without topics goes to everybody. One in another language says so: lang=fr. -->

## A story for everybody {{#for-everybody}}

What happened, who did it, and why it matters to those who read this.

# Upcoming events

<!-- date= makes a story an event: a day, two days with / between, or a moment such as 2019-04-10T09:30+02:00. -->

## A conference {{#conference topics={last} date={date}/{date} place="Geneva"}}

What it is about, and for whom.
"""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a configuration is made of. `topics` are labels, with commas between."""

    name: str = NAME
    sender: str = ""
    reply_to: str = ""
    public_url: str = ""
    postal_address: str = placeholders.ADDRESS
    language: str = "en"
    topics: str = "Cooperatives, Green jobs"
    smtp: str = "smtp://127.0.0.1:1025"

    @property
    def default_sender(self) -> str:
        """`Name <address>`, the name in quotes where RFC 5322 section 3.2.3 has its characters for something else."""
        name = self.name
        if re.search(r'[()<>\[\]:;@\\,."]', name):
            name = '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
        return f"{name} <newsletter@example.org>"

    @property
    def domain(self) -> str:
        """That of the sender."""
        return (self.sender or self.default_sender).rpartition("@")[2].strip(" >")

    @property
    def labels(self) -> list[str]:
        """The topics."""
        return [" ".join(label.split()) for label in self.topics.split(",") if label.strip()]


def config(answers: Answers) -> str:
    """mailer.toml. What was not answered follows from what was."""
    slug = "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in answers.name.lower()).split()) or "news"
    ids = [slug_from_title(label, "topic") for label in answers.labels]
    return _CONFIG.format(
        name=quoted(answers.name),
        sender=quoted(answers.sender or answers.default_sender),
        reply_to=quoted(answers.reply_to or f"office@{answers.domain}"),
        slug=slug,
        domain=answers.domain,
        public_url=quoted(answers.public_url or f"https://newsletter.{answers.domain}"),
        postal_address=quoted(answers.postal_address),
        language=quoted(answers.language),
        interests="\n".join(f"{id_} = {quoted(label)}" for id_, label in zip(ids, answers.labels, strict=True)),
        first=ids[0] if ids else "topic",
        smtp=quoted(answers.smtp),
    )


def issue(title: str, day: date, interests: Mapping[str, str]) -> str:
    """issue.md, with examples that use every topic of a few."""
    topics: Sequence[str] = list(interests)[:4]  # each stands at a story, and two together at one
    return _ISSUE.format(
        title=quoted(title),
        subject=quoted(placeholders.SUBJECT),
        preheader=placeholders.PREHEADER,
        story=placeholders.STORY,
        date=day,
        first=",".join(topics[:1] if len(topics) < 4 else topics[:2]),
        last=",".join(topics[-2:]),
    )


def quoted(text: str) -> str:
    """JSON's strings are TOML's basic strings and YAML's double-quoted ones, too."""
    return json.dumps(text, ensure_ascii=False)


def date_of(slug: str) -> date:
    """The day that a slug such as 2019-03 or 2019-03-14 names, or today."""
    found = re.match(r"(\d{4})-(\d{2})(?:-(\d{2}))?$", slug)
    try:
        return date(*(int(part or 1) for part in found.groups())) if found else clock().date()
    except ValueError:  # 2019-13 is a number, perhaps
        return clock().date()
