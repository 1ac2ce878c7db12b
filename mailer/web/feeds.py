"""Atom feeds (RFC 4287): every issue, and for each interest the stories about it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.responses import Response

from mailer.models import Story
from mailer.web.library import Sent
from mailer.web.security import PUBLIC
from mailer.web.visit import Visit, page

_ISSUES, _STORIES = 30, 60  # the newest; a feed reader keeps the others


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of a feed."""

    id: str
    title: str
    path: str  # of the page on this site
    language: str
    updated: datetime
    html: str
    topics: tuple[str, ...] = ()


def all_issues(visit: Visit) -> Response:
    """An entry an issue: its headlines."""
    entries = [_issue(visit, sent) for sent in _sent(visit)[:_ISSUES]]
    return _feed(visit, "/feed.atom", visit.site.room.config.newsletter.name, entries)


def of_interest(visit: Visit) -> Response:
    """An entry a story of this interest, as it was written."""
    config, interest = visit.site.room.config, visit.parts["interest"]
    if interest not in config.interests:
        raise HTTPException(404)
    entries = [
        _story(visit, sent, story) for sent in _sent(visit) for story in sent.issue.stories if interest in story.topics
    ]
    title = f"{config.newsletter.name}: {config.interests[interest]}"
    return _feed(visit, f"/feed/{interest}.atom", title, entries[:_STORIES])


def _sent(visit: Visit) -> list[Sent]:
    return visit.site.library.all(visit.store.archive)


def _feed(visit: Visit, path: str, title: str, entries: list[Entry]) -> Response:
    began = datetime.fromtimestamp(0, UTC)  # of a feed without an entry
    body = visit.site.fill(
        "feed.xml",
        visit.site.texts_for(visit.site.room.config.newsletter.language),
        path=path,
        title=title,
        id=_urn(visit, path),
        updated=max((entry.updated for entry in entries), default=began),
        entries=entries,
    )
    return Response(body, media_type="application/atom+xml", headers=PUBLIC)


def _issue(visit: Visit, sent: Sent) -> Entry:
    issue = sent.issue
    headlines = Markup("").join(Markup("<li>{}</li>").format(story.title) for story in issue.stories)
    html = Markup("<p>{}</p><ul>{}</ul>").format(issue.preheader, headlines)
    return Entry(_urn(visit, issue.slug), issue.subject, f"/{issue.slug}/", issue.language, sent.published, html)


def _story(visit: Visit, sent: Sent, story: Story) -> Entry:
    slug = sent.issue.slug
    body = Markup(story.body.html)  # nh3 has been over it when it was composed
    more = Markup('<p><a href="{}">{}</a></p>').format(story.link.url, story.link.text) if story.link else ""
    return Entry(
        _urn(visit, f"{slug} {story.id}"),
        story.title,
        f"/{slug}/#{story.id}",
        story.language or sent.issue.language,
        sent.published,
        Markup("{}{}").format(body, more),
        story.topics,
    )


def _urn(visit: Visit, name: str) -> str:
    """A name for ever (RFC 4287 section 4.2.6): made from the list's, which outlives a host (RFC 2919 section 2)."""
    return uuid.uuid5(uuid.NAMESPACE_DNS, f"{visit.site.room.config.newsletter.list_id} {name}").urn


ROUTES = [page("/feed.atom", get=all_issues), page("/feed/{interest}.atom", get=of_interest)]
