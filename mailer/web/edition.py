"""A mail as a page of the web: the edition one reader got, or the general one for everybody.

The page is the one that was mailed. Cut from the same pieces, with links that stay on this site, and with what a page
needs and a mail does not: a canonical address and what other sites show of it (Open Graph).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html import escape
from urllib.parse import quote, urlsplit

from mailer.compose.editions import MarkedPage, select
from mailer.compose.marks import Marks
from mailer.compose.message import fill_page
from mailer.compose.personal import Personal
from mailer.models import Issue, Selection
from mailer.web.library import Sent
from mailer.web.site import Site, bdi
from mailer.web.texts import Texts

_Link = Callable[[re.Match[str]], str]


def own(site: Site, sent: Sent, html: MarkedPage, selection: Selection, personal: Personal) -> str:
    """The edition one reader got, with their own links."""
    at_home = replace(
        personal,
        **{name: urlsplit(getattr(personal, name)).path for name in ("unsubscribe_url", "preferences_url", "web_url")},
    )
    texts = site.texts_for(sent.issue.language)
    cut = _replaced(html.cut(selection), sent.facts.marks, {"web_url": _link(site, "/", texts.html("All issues"))})
    page = fill_page(cut, at_home, sent.facts.marks, html=True)
    return _as_page(site, sent.issue, page)


def general(site: Site, sent: Sent, html: MarkedPage, texts: Texts) -> str:
    """The whole issue for everybody: nothing in it is personal. `texts` speaks the issue's language."""
    issue, marks = sent.issue, sent.facts.marks
    page = _impersonal(html.cut(select(issue, ())), marks, site, texts)
    nobody = Personal(
        name=sent.facts.reader,
        email=site.room.config.newsletter.name,
        interests=sent.facts.everything,
        unsubscribe_url=site.link("/subscribe"),
        preferences_url=site.link("/subscribe"),
        web_url=site.link(f"/{issue.slug}/"),
        full_name="",
        message_id="",
        unsubscribe_mailto="",
    )
    return _as_page(site, issue, fill_page(page, nobody, marks, html=True))


def _impersonal(page: str, marks: Marks, site: Site, texts: Texts) -> str:
    """What speaks to one reader, said to everybody: the reason why they get it, and the links of their subscription."""

    newsletter = site.room.config.newsletter
    reason = texts.html("This is the edition for everybody. Subscribers of {newsletter} choose their topics.",
                        newsletter=bdi(newsletter.name, newsletter.language))  # fmt: skip
    email = re.escape(str(marks.slot("email")))
    paragraph = rf"(<p\b[^>]*>)(?:(?!</p>).)*{email}.*?</p>"
    page = re.sub(paragraph, lambda found: f"{found[1]}{reason}</p>", page, flags=re.DOTALL)
    links: dict[str, _Link] = {
        "preferences_url": _link(site, "/subscribe", texts.html("Subscribe")),
        "unsubscribe_url": lambda _: "",
        "web_url": _link(site, "/", texts.html("All issues")),
    }
    return _replaced(page, marks, links)


def _link(site: Site, path: str, words: str) -> _Link:
    return lambda found: f"{found[1]}{site.link(path)}{found[2]}{words}</a>"


def _replaced(page: str, marks: Marks, links: dict[str, _Link]) -> str:
    """The page with other links in the place of those that lead to one of these slots, and no further."""
    for name, written in links.items():
        slot = re.escape(str(marks.slot(name)))
        page = re.sub(rf'(<a\b[^>]*href="){slot}("[^>]*>)(?:(?!</a>).)*</a>', written, page, flags=re.DOTALL)
    return page


def _as_page(site: Site, issue: Issue, page: str) -> str:
    for picture in issue.pictures:  # also one that the mail carried with it
        url = site.link(f"/{issue.slug}/{quote(picture.name)}")
        page = page.replace(f'src="{escape(picture.url)}"', f'src="{url}"')
    page = page.replace(f'="{site.address("/")}', f'="{site.link("/")}')
    about = site.fill("about.html", site.texts_for(issue.language), issue=issue, picture=_leading(site, issue))
    return page.replace("</head>", f"{about}</head>", 1)


def _leading(site: Site, issue: Issue) -> str:
    """The public address of the picture that other sites show; empty when the issue has none."""
    picture = issue.masthead or next(iter(issue.pictures), None)
    return site.address(f"/{issue.slug}/{quote(picture.name)}") if picture else ""
