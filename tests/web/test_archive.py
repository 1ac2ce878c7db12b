"""The archive: what is public and what is not, the general edition, a reader's own, and the same as files."""

from __future__ import annotations

import re
import shutil
from urllib.parse import urlsplit

import pytest
from conftest import ISSUE, copy_newsroom
from lxml import etree, html
from public_server import NOW, begin, draw, serving, went_out

from mailer.audience import subscribers
from mailer.deliver import plan
from mailer.models import SubscriberState
from mailer.web import export

SLUG = "2019-01"
AMINA, JOAO = "amina@example.org", "joao@example.org"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest.fixture
def sent(newsroom, write_issue):
    """2019-01 went out to Amina, who reads of cooperatives, and to João, who reads of green jobs."""
    write_issue()
    for address, interest in ((AMINA, "cooperatives"), (JOAO, "green-jobs")):
        person = address, "Ann Smith", [interest]
        subscribers.add(newsroom.store.audience, newsroom.config, newsroom.tokens, *person, NOW)
    went_out(newsroom, SLUG)
    return newsroom


@pytest.fixture
def site(sent, clock):
    with serving(sent, clock) as client:
        yield client


def own_path(room, address):
    reader = next(person for person in room.store.audience.all() if person.email == address)
    return f"/{SLUG}/{room.tokens.sign(f'web {SLUG}', reader.id)}"


def headlines(page):
    return [" ".join(heading.text_content().split()) for heading in html.fromstring(page).iter("h3")]


# --- what is public ---------------------------------------------------------------------------------------

PATHS = [f"/{SLUG}/", f"/{SLUG}", f"/{SLUG}/meeting.ics", f"/{SLUG}/images/dot.png"]
WITH_ALL = ISSUE.replace("Welcome.", "![A dot](images/dot.png)\n\nWelcome.") + (
    '\n## A meeting {#meeting date=2019-01-10 place="Geneva"}\n\nAt last.\n'
)


@pytest.fixture
def planned(newsroom, write_issue):
    """2019-01 with a picture and an event, planned and not begun."""
    write_issue(WITH_ALL)
    draw(newsroom.root / "issues" / SLUG / "images" / "dot.png")
    subscribers.add(newsroom.store.audience, newsroom.config, newsroom.tokens, AMINA, "", [], NOW)
    plan.freeze(newsroom.compose(SLUG), newsroom.store, NOW)
    return newsroom


def test_an_issue_that_is_planned_and_not_begun_is_nobodys_to_read(planned, clock):
    with serving(planned, clock) as site:
        assert [site.get(path).status_code for path in [*PATHS, own_path(planned, AMINA)]] == [404] * 5
        assert SLUG not in site.get("/").text + site.get("/sitemap.xml").text
        assert "Two stories" not in site.get("/feed.atom").text
        assert "BEGIN:VEVENT" not in site.get("/events.ics").text


def test_it_is_public_as_soon_as_it_goes_out(planned, clock):
    with serving(planned, clock) as site:
        assert site.get(PATHS[0]).status_code == 404
        begin(planned, SLUG)
        assert [site.get(path).status_code for path in [*PATHS, own_path(planned, AMINA)]] == [200, 308, 200, 200, 200]
        assert f'href="/{SLUG}/"' in site.get("/").text


def test_it_is_public_when_nobody_was_left_to_send_it_to(planned, clock):
    for claim in planned.store.sendlog.claim(SLUG, 10, NOW):
        planned.store.audience.set_state(claim.subscriber.id, SubscriberState.UNSUBSCRIBED, NOW)
        assert not planned.store.sendlog.offer(SLUG, claim.subscriber.id, NOW)
    with serving(planned, clock) as site:
        assert site.get(f"/{SLUG}/").status_code == 200


def test_it_is_shown_as_it_was_sent_whatever_became_of_its_files(sent, clock):
    with serving(sent, clock) as site:
        before = site.get(f"/{SLUG}/").text
    shutil.rmtree(sent.root / "issues")
    (sent.root / "templates" / "enterprises" / "_story.mjml.j2").write_text("Nothing", "utf-8")
    with serving(sent, clock) as site:
        assert site.get(f"/{SLUG}/").text == before


def test_a_plan_dropped_before_anything_went_out_leaves_nothing(planned):
    planned.store.sendlog.forget(SLUG)
    database = planned.store.archive._db
    for table in ("snapshots", "published_files"):
        assert database.execute(f"SELECT COUNT(*) FROM {table}").fetchone() == (0,)


def test_pictures_are_given_out_as_they_were_published_and_run_nothing(planned, clock):
    begin(planned, SLUG)
    with serving(planned, clock) as site:
        answer = site.get(f"/{SLUG}/images/dot.png")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; ")
    assert answer.content == (planned.root / "issues" / SLUG / "images" / "dot.png").read_bytes()


@pytest.mark.parametrize("path", ["/../pyproject.toml", "/%2e%2e/%2e%2e/pyproject.toml", "/issue.md", "/images/", "/"])
def test_nothing_but_what_was_published_is_given_out(site, path):
    url = f"/{SLUG}{path}"
    assert site.get(url).status_code == (200 if path == "/" else 404)
    assert "[tool.mailer" not in site.get(url).text


# --- the general edition ----------------------------------------------------------------------------------


def test_the_general_edition_has_every_story_and_nothing_personal(site, sent):
    answer = site.get(f"/{SLUG}/")
    assert headlines(answer.text) == ["Cooperatives grow", "For everybody"]
    words = " ".join(html.fromstring(answer.text).text_content().split())
    assert "Dear reader," in words
    assert "This is the edition for everybody. Subscribers of Enterprises Newsletter choose their topics." in words
    assert "%%" not in answer.text
    for personal in ("@@", "amina", "Ann Smith", "Unsubscribe", "Change your interests", "/u/", "/p/"):
        assert personal not in answer.text
    links = html.fromstring(answer.text).xpath("//a/@href")
    assert {link for link in links if not link.startswith(("https://example.org/", "mailto:"))} == {
        f"/{SLUG}/#news", "/subscribe", "/",
    }  # fmt: skip
    # Tokens are a number in base 36, a dot and 16 characters.
    assert re.findall(r"/[0-9a-z]+\.[\w-]{16}\b", answer.text) == []


def test_the_general_edition_may_be_shared(site):
    """https://ogp.me, RFC 6596 (canonical)."""
    page = html.fromstring(site.get(f"/{SLUG}/").text)
    told = {meta.get("property"): meta.get("content") for meta in page.iter("meta") if meta.get("property")}
    assert told == {
        "og:type": "article", "og:site_name": "Enterprises Newsletter", "og:title": "Two stories",
        "og:description": "One about cooperatives, one for everybody, and nothing else at all",
        "og:url": f"https://newsletter.example.org/{SLUG}/", "og:locale": "en",
        "article:published_time": "2018-12-14",
    }  # fmt: skip
    assert page.xpath("//link[@rel='canonical']/@href") == [f"https://newsletter.example.org/{SLUG}/"]


def test_a_mail_as_a_page_may_have_inline_styles_and_still_no_script(site):
    policy = site.get(f"/{SLUG}/").headers["content-security-policy"]
    assert "style-src 'self' 'unsafe-inline';" in policy
    assert policy.startswith("default-src 'none';")
    assert "script" not in policy


def test_pictures_that_a_mail_carries_with_it_are_shown_too(tmp_path, clock):
    room = copy_newsroom(tmp_path / "room")
    text = (room.root / "pyproject.toml").read_text("utf-8")
    (room.root / "pyproject.toml").write_text(text.replace('template = "enterprises"', 'images = "embed"'), "utf-8")
    folder = room.root / "issues" / SLUG
    draw(folder / "images" / "dot.png")
    (folder / "issue.md").write_text(WITH_ALL, "utf-8")
    went_out(room, SLUG, AMINA)
    with serving(room, clock) as site:
        for path in (f"/{SLUG}/", own_path(room, AMINA)):
            page = site.get(path).text
            assert "cid:" not in page
            assert html.fromstring(page).xpath("//img/@src") == [f"/{SLUG}/images/dot.png"]


# --- a reader's own ---------------------------------------------------------------------------------------


def test_a_reader_sees_the_edition_they_got_with_their_own_links(site, sent):
    answer = site.get(own_path(sent, JOAO))
    assert headlines(answer.text) == ["For everybody"]
    assert "Dear Ann Smith," in " ".join(html.fromstring(answer.text).text_content().split())
    joao = next(person for person in sent.store.audience.all() if person.email == JOAO)
    links = html.fromstring(answer.text).xpath("//a/@href")
    assert f"/u/{sent.tokens.sign('unsubscribe', joao.id)}" in links
    assert f"/p/{sent.tokens.sign('preferences', joao.id)}" in links
    assert f"{own_path(sent, JOAO)}#news" in links  # leads down the same page
    assert html.fromstring(answer.text).xpath("//h2/@id") == ["news"]


def test_they_see_what_was_sent_even_when_they_chose_anew(site, sent):
    joao = next(person for person in sent.store.audience.all() if person.email == JOAO)
    subscribers.change(sent.store.audience, sent.config, joao.email, NOW, interests=["cooperatives"])
    assert headlines(site.get(own_path(sent, JOAO)).text) == ["For everybody"]


def test_a_readers_own_edition_is_for_nobodys_index_or_cache(site, sent):
    headers = site.get(own_path(sent, AMINA)).headers
    assert headers["cache-control"] == "private, no-store"
    assert headers["x-robots-tag"] == "noindex"
    assert headers["referrer-policy"] == "no-referrer"


def test_every_changed_character_of_the_link_leads_nowhere(site, sent):
    """Standards U7, for this link."""
    path = own_path(sent, AMINA)
    start = path.rindex("/") + 1
    for position in range(start, len(path)):
        other = "A" if path[position] != "A" else "B"
        assert site.get(path[:position] + other + path[position + 1 :]).status_code == 404, position
    assert site.get(path).status_code == 200


@pytest.mark.parametrize("purpose", ["unsubscribe", "preferences", "web 2018-12"])
def test_a_token_for_something_else_opens_nothing(site, sent, purpose):
    assert site.get(f"/{SLUG}/{sent.tokens.sign(purpose, 1)}").status_code == 404


@pytest.mark.parametrize("number", [0, 99], ids=["a test mail's", "somebody erased"])
def test_a_link_that_names_nobody_leads_to_the_general_edition(site, sent, number):
    answer = site.get(f"/{SLUG}/{sent.tokens.sign(f'web {SLUG}', number)}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/{SLUG}/")


# --- around it --------------------------------------------------------------------------------------------


def test_the_index_lists_issues_the_newest_first(sent, write_issue, clock):
    write_issue(ISSUE.replace("2018-12-14", "2017-01-10").replace("Two stories", "An old one"), "2017-01")
    went_out(sent, "2017-01")
    with serving(sent, clock) as site:
        page = html.fromstring(site.get("/?lang=fr").text)
    assert page.get("lang") == "fr"
    assert [(link.get("href"), link.text_content()) for link in page.xpath("//article//a")] == [
        (f"/{SLUG}/", "Two stories"), ("/2017-01/", "An old one"),
    ]  # fmt: skip
    assert [p.text_content() for p in page.xpath("//article/p")] == [
        "14 décembre 2018 · 2 articles", "10 janvier 2017 · 2 articles",
    ]  # fmt: skip


def test_the_sitemap_names_every_public_page_by_its_public_address(site):
    """sitemaps.org 0.9."""
    root = etree.fromstring(site.get("/sitemap.xml").content)
    assert root.tag == f"{SITEMAP}urlset"
    assert [found.text for found in root.iter(f"{SITEMAP}loc")] == [
        "https://newsletter.example.org/", "https://newsletter.example.org/subscribe",
        f"https://newsletter.example.org/{SLUG}/",
    ]  # fmt: skip
    assert site.get("/robots.txt").text == (
        "User-agent: *\nAllow: /\nSitemap: https://newsletter.example.org/sitemap.xml\n"
    )


# --- as files ---------------------------------------------------------------------------------------------


def written(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_archive_as_files_is_what_the_site_shows(planned, clock, tmp_path):
    begin(planned, SLUG)
    names = export.write(planned, clock, tmp_path / "out")
    files = written(tmp_path / "out")
    assert set(files) == {*names, ".mailer-archive.json"}
    assert {f"{SLUG}/index.html", f"{SLUG}/meeting.ics", f"{SLUG}/images/dot.png", "feed/cooperatives.atom"} < set(
        names
    )
    with serving(planned, clock) as site:
        for name in names:
            answer = site.get(f"/{name.removesuffix('index.html')}")
            if name != "index.html":  # that one offers other languages
                assert answer.content == files[name], name


def test_every_link_of_the_files_leads_to_a_file_under_the_prefix(tmp_path, clock):
    room = copy_newsroom(tmp_path / "room", issues=True, MAILER_PUBLIC_URL="https://www.example.org/news")
    went_out(room, "2018-12", AMINA)
    export.write(room, clock, tmp_path / "out")
    files = written(tmp_path / "out")
    for name in ("index.html", "2018-12/index.html"):
        page = html.fromstring(files[name])
        for url in (*page.xpath("//@href"), *page.xpath("//@src")):
            parts = urlsplit(url)
            if parts.scheme or not parts.path:
                assert parts.netloc != "www.example.org" or url in page.xpath("//link[@rel='canonical']/@href")
                continue
            assert parts.path.startswith("/news/"), url
            target = parts.path.removeprefix("/news/")
            assert target == "subscribe" or (target + "index.html" if target[-1:] in ("", "/") else target) in files, (
                url
            )


def test_written_again_it_changes_nothing_and_takes_away_only_its_own(sent, clock, tmp_path):
    folder = tmp_path / "out"
    export.write(sent, clock, folder)
    (folder / "CNAME").write_text("newsletter.example.org\n")
    (folder / SLUG / "mine.txt").write_text("mine")
    before, times = written(folder), {p: p.stat().st_mtime_ns for p in folder.rglob("*.html")}
    export.write(sent, clock, folder)
    assert written(folder) == before
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*.html")} == times
    sent.store.sendlog.forget(SLUG)
    export.write(sent, clock, folder)
    assert set(written(folder)) - {".mailer-archive.json", "CNAME"} == {
        *(name for name in before if "/" not in name and name not in ("CNAME", ".mailer-archive.json")),
        *(name for name in before if name.startswith("feed/")),
        f"{SLUG}/mine.txt",
    }


def test_the_command_says_what_it_wrote(office, tmp_path):
    office.subscribe(AMINA)
    begin(office.plan(), SLUG)
    answer = office.run("archive", "--out", str(tmp_path / "out"), "--json")
    assert answer.code == 0
    assert answer.json["folder"] == str(tmp_path / "out")
    assert f"{SLUG}/index.html" in answer.json["files"]
    (tmp_path / "file").write_text("")
    assert office.run("archive", "--out", str(tmp_path / "file")).code == 1
