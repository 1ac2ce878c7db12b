"""The finished page: what MJML and premailer must not spoil, and what every mail program and screen reader needs."""

from __future__ import annotations

import re
from itertools import combinations, pairwise

import pytest
from conftest import ISSUE
from drafts import CONFIG, FRONT, compose, png
from lxml import html as lxml_html

from mailer.compose.editions import select

TOPICS = tuple(CONFIG.interests)
INTERESTS = [chosen for size in range(len(TOPICS) + 1) for chosen in combinations(TOPICS, size)]
every_edition = pytest.mark.parametrize("interests", INTERESTS, ids=lambda chosen: "+".join(chosen) or "none")


def edition(real, interests: tuple[str, ...]) -> str:
    return str(real.html.cut(select(real.issue, interests)))


def parsed(page: str) -> lxml_html.HtmlElement:
    return lxml_html.document_fromstring(page)


def test_the_page_is_in_standards_mode(real):
    """premailer drops a doctype in small letters (its issue 156); without one, browsers go into quirks mode."""
    page = edition(real, ())
    assert page.startswith("<!DOCTYPE html><html ")
    assert page.lower().count("<!doctype") == 1


def test_the_head_style_sheet_arrives_as_it_was_written(real):
    """premailer by default strips !important, so that phones and dark mode lose their rules (rendering.md, item 1)."""
    css = real.theme.mjml(real.issue, real.config, real.marks).partition("<mj-style>")[2].partition("</mj-style>")[0]
    page = edition(real, ())
    assert css in page
    assert css.count("!important") >= 10
    assert [query in css for query in ("@media (prefers-color-scheme: dark)", "@media only screen and (max-width")] == [
        True,
        True,
    ]


@every_edition
def test_outlook_s_conditional_comments_survive_and_pair_up(real, interests):
    page = edition(real, interests)
    opened = 0
    for found in re.finditer(r"(<!--\[if [^\]]*\]>(?:<!-->|<!)?)|(<!\[endif\]-->|<!--<!\[endif\]-->)", page):
        opened += 1 if found[1] else -1
        assert opened in (0, 1), page[found.start() - 80 : found.end()]
    assert opened == 0
    assert page.count("<!--[if mso | IE]>") >= 3
    assert "<![endif]--><!--[if mso | IE]>" not in page  # neighbours are merged: 1.5 KB of a full issue


@every_edition
def test_tables_inside_and_outside_outlook_s_comments_are_balanced(real, interests):
    page = edition(real, interests)
    for seen in (re.sub(r"<!--\[if mso.*?<!\[endif\]-->", "", page, flags=re.DOTALL), page):
        for tag in ("table", "tr", "td", "div"):
            assert len(re.findall(rf"<{tag}[ >]", seen)) == seen.count(f"</{tag}>"), tag


def test_outlook_gets_widths_and_six_digit_colours(real):
    """Word, which renders Outlook's mail, knows neither max-width nor three-digit bgcolor."""
    page = edition(real, ())
    assert {tag for tag in re.findall(r"<img [^>]*>", page) if not re.search(r' width="\d+"', tag)} == set()
    colours = re.findall(r'bgcolor="([^"]*)"', page)
    assert colours
    assert [colour for colour in colours if not re.fullmatch("#[0-9a-f]{6}", colour)] == []
    widths = [int(width) for width in re.findall(r'<!--\[if mso \| IE\]>.*?width="(\d+)"', page)]
    assert max(widths) == 600


def test_layout_tables_say_that_they_are_no_data(real):
    page = edition(real, ())
    assert re.findall(r"<table(?![^>]* role=\"presentation\")[^>]*>", page) == []


def test_a_table_of_data_stays_one(tmp_path):
    issue = f"{FRONT}# S\n\n## A\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<table><tr><td>3</td></tr></table>\n"
    made = compose(tmp_path, issue)
    page = parsed(made.html.cut(made.everything))
    assert page.xpath("//div[@class='prose']/table/@role") == ["table", "table"]


@every_edition
def test_there_is_one_h1_and_no_level_is_skipped(real, interests):
    levels = [
        int(heading.tag[1]) for heading in parsed(edition(real, interests)).xpath("//h1|//h2|//h3|//h4|//h5|//h6")
    ]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert [(upper, lower) for upper, lower in pairwise(levels) if lower > upper + 1] == []


def test_title_preheader_and_language_are_set(real):
    page = parsed(edition(real, ()))
    assert page.xpath("string(//head/title)") == real.issue.subject
    assert page.xpath("string(//body/div[1])").split("\u034f")[0].strip(" ") == real.issue.preheader
    assert "display:none" in page.xpath("//body/div[1]/@style")[0]
    assert (page.get("lang"), page.get("dir")) == ("en", "ltr")


def test_language_and_direction_stand_inside_the_body_too(real):
    """Webmail cuts html and body off; its own direction leaks in otherwise (rendering.md 4.3)."""
    (wrapper,) = parsed(edition(real, ())).xpath("//body/div[@lang]")
    assert (wrapper.get("lang"), wrapper.get("dir")) == ("en", "ltr")


def test_a_story_in_another_language_says_so(tmp_path):
    made = compose(tmp_path, f"{FRONT}# S\n\n## Bonjour {{lang=fr}}\n\n## Hello\n")
    page = parsed(made.html.cut(made.everything))
    assert page.xpath("//td[@class='story']/@lang") == ["fr"]


ARABIC = """\
---
title: نشرة المؤسسات
date: 2018-12-14
language: ar
subject: قصتان
preheader: واحدة عن التعاونيات وأخرى للجميع
---
مرحبا.

# أخبار {#news}

## التعاونيات تنمو {#coops topics=cooperatives date=2019-01-10 place="جنيف"}

![صورة](a.png)

- واحد
- اثنان

[اقرأ التقرير](https://example.org/report){.button}
"""


def test_an_arabic_issue_runs_from_right_to_left(tmp_path):
    made = compose(tmp_path, ARABIC, {"a.png": png()})
    html = made.html.cut(made.everything)
    page = parsed(html)
    assert (page.get("lang"), page.get("dir")) == ("ar", "rtl")
    assert [(wrapper.get("lang"), wrapper.get("dir")) for wrapper in page.xpath("//body/div[@lang]")] == [("ar", "rtl")]
    # MJML sets its columns to the left whatever is asked; the cell inside each sets its own.
    styles = " ".join(page.xpath("//body//*[not(contains(@class, 'mj-column'))]/@style"))
    assert set(re.findall(r"direction:(\w+)", styles)) == {"rtl"}
    assert set(re.findall(r"text-align:\s*(\w+)", styles)) <= {"right", "center"}
    assert set(page.xpath("//table/@align | //td/@align")) <= {"right", "center"}
    assert "padding-right: 24px" in html  # lists are indented from the right
    assert page.xpath("string(//h3)") == "التعاونيات تنمو"
    assert page.xpath("//td[@class='where']/strong/text()") == ["10 يناير 2019"]


@pytest.mark.parametrize("language", ["en", "fr", "es", "ar"])
def test_the_fixed_words_are_in_the_language_of_the_issue(tmp_path, language):
    made = compose(tmp_path, ISSUE.replace("date:", f"language: {language}\ndate:", 1))
    words = made.theme.settings["words"][language]
    html, text = made.html.cut(made.everything), made.text.cut(made.everything)
    for key in ("contents", "preferences", "unsubscribe", "web"):
        assert words[key] in parsed(html).text_content()
        assert words[key] in text


def test_every_personal_value_has_its_place_in_both_parts(real):
    """standards.md: unsubscribe, preferences and web links in HTML and text; the postal address as it is."""
    pattern = real.marks.slot_pattern()
    slots = {"name", "email", "interests", "unsubscribe_url", "preferences_url", "web_url"}
    for part in (edition(real, ()), real.text.cut(real.everything)):
        assert set(pattern.findall(part)) == slots
        assert real.config.newsletter.postal_address.split(",")[0] in part


def test_nothing_is_fetched_from_another_host_when_the_mail_is_opened(real):
    page = parsed(edition(real, ()))
    assert page.xpath("//link | //script | //iframe | //object | //embed") == []
    sources = page.xpath("//@src | //@background")
    assert sources
    assert {
        source for source in sources if not source.startswith("https://newsletter.example.org/2018-12/images/")
    } == set()
    assert "url(" not in edition(real, ())
