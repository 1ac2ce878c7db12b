"""Mail scanners follow every link of a mail, with any method that is safe, and run the scripts of what they find.

Standards U8. Six senders had their subscribers unsubscribed by a company's gateway between 2022 and 2026.
"""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from html import unescape
from urllib.parse import urlsplit

import pytest
from conftest import Clock
from people import NOW
from public_server import begin, serving
from sending import SLUG
from unsubscribing import Reader, registry

from mailer.audience import joining
from mailer.deliver import plan
from mailer.models import Channel, Evidence

_LINK = re.compile(r'(?:href|src|action)="([^"#]+)')
_MOST = 400  # links that are followed; there are fewer, or a page makes new ones without end


@pytest.fixture
def gone_out(office):
    """A newsroom whose issue went out to two readers."""
    office.subscribe(coops="cooperatives", all_of_it="green-jobs")
    room = office.room()
    plan.freeze(room.compose(SLUG), room.store, NOW)
    begin(room, SLUG)
    return room


def links_of_a_mail(office, room, email):
    """Paths of all links in a finished mail: header, text and HTML part."""
    out = office.root / "out"
    assert office.run("build", SLUG, "--for", email, "--out", str(out)).code == 0
    [path] = out.rglob("*.eml")
    mail = message_from_bytes(path.read_bytes(), policy=policy.SMTP)
    parts = [str(mail["List-Unsubscribe"]), *(part.get_content() for part in mail.iter_parts())]
    own = room.config.newsletter.public_url
    return {urlsplit(unescape(url)).path for part in parts for url in re.findall(rf"{own}[^\s\"'<>)]*", part)}


def everything(room):
    """All that a subscription is, and all that happened."""
    people = room.store.audience.all()
    return list(people), [row for _, rows in room.store.journal.people() for row in rows]


def confirmation(room):
    """The link of a confirmation mail to somebody new."""
    letter = joining.ask(registry(room), "new@example.org", Evidence(NOW, Channel.FORM)).letter
    assert letter
    return f"/confirm/{letter.token}"


def test_U8_every_link_of_a_mail_followed_by_every_safe_method_leaves_all_as_it_was(office, gone_out):
    """And every link of the pages they lead to, with redirects."""
    waiting = links_of_a_mail(office, gone_out, "coops@example.org") | {confirmation(gone_out)}
    assert {path[:3] for path in waiting} >= {"/u/", "/p/"}
    before, seen = everything(gone_out), set()
    with serving(gone_out, Clock()) as site:
        site.follow_redirects = True
        while waiting and len(seen) < _MOST:
            path = waiting.pop()
            seen.add(path)
            answers = [site.request(method, path) for method in ("GET", "HEAD", "OPTIONS")]
            assert max(answer.status_code for answer in answers) < 500
            if answers[0].headers["content-type"].startswith("text/html"):
                found = {unescape(link) for link in _LINK.findall(answers[0].text)}
                paths = {path.partition("?")[0] + link if link.startswith("?") else link for link in found}
                waiting |= {link for link in paths if link.startswith("/")} - seen
    assert not waiting
    assert everything(gone_out) == before


def test_U8_a_hundred_scanners_that_run_scripts_leave_all_as_it_was(office, gone_out, browser):
    """Chromium, as a gateway uses it: it opens the link, runs what there is, and waits until nothing happens."""
    paths = sorted(links_of_a_mail(office, gone_out, "coops@example.org") | {confirmation(gone_out)})
    before = everything(gone_out)
    with serving(gone_out, Clock()) as site:
        context = browser.new_context()
        tab = context.new_page()
        for path in paths:
            tab.goto(f"{str(site.base_url).rstrip('/')}{path}", wait_until="networkidle")
            tab.evaluate("document.querySelectorAll('a').forEach(a => a.dispatchEvent(new Event('mouseover')))")
        context.close()
        link = Reader(gone_out, 1).link
        assert [site.get(link).status_code for _ in range(100)] == [200] * 100
    assert everything(gone_out) == before
