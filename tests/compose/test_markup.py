"""Story Markdown as HTML: what reaches a mail, and what is reported instead."""

from __future__ import annotations

import re

import pytest
from drafts import FRONT, mistakes, read
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from mailer.compose import rawhtml
from mailer.compose.markup import Writer, parse


def rendered(folder, body: str) -> str:
    return read(folder, f"{FRONT}# S\n\n## A\n\n{body}\n").stories[0].body.html


MARKDOWN = {
    "emphasis": ("*a* **b** ~~c~~ `d<e`", "<p><em>a</em> <strong>b</strong> <s>c</s> <code>d&lt;e</code></p>"),
    "soft line break": ("a\nb", "<p>a b</p>"),
    "hard line break": ("a  \nb\\\nc", "<p>a<br>b<br>c</p>"),
    "blanks between tags": ("**a**   *b*\t*c*", "<p><strong>a</strong> <em>b</em> <em>c</em></p>"),
    "tight list": ("- a\n- b\n  - c", "<ul><li>a</li><li>b <ul><li>c</li></ul></li></ul>"),
    "loose list": ("3. a\n\n4. b", '<ol start="3"><li><p>a</p></li><li><p>b</p></li></ol>'),
    "quotation": ("> a\n>\n> b", "<blockquote><p>a</p><p>b</p></blockquote>"),
    "code": ("```\na\n  b\n```", "<pre><code>a<br>  b</code></pre>"),
    "rule": ("a\n\n***\n\nb", "<p>a</p><hr><p>b</p>"),
    "table": (
        "| a | b |\n|---|--:|\n| 1 | 2 |",
        '<table role="table"><thead><tr><th>a</th><th>b</th></tr></thead>'
        "<tbody><tr><td>1</td><td>2</td></tr></tbody></table>",
    ),
    "raw table": (
        "<table><tr><td>1</td></tr></table>",
        '<table role="table"><tbody><tr><td>1</td></tr></tbody></table>',
    ),
    "raw words": (
        'H<sub>2</sub>O <abbr title="a &quot;b&quot;">c</abbr> <bdi dir=rtl>d</bdi>',
        '<p>H<sub>2</sub>O <abbr title="a &quot;b&quot;">c</abbr> <bdi dir="rtl">d</bdi></p>',
    ),
    "raw, left open": ("<b>a\n\nb", "<p><b>a</b></p><b><p>b</p></b>"),
    "comment": ("a<!-- b -->c\n\n<!--[if mso]>d<![endif]-->", "<p>ac</p>"),
    "words in another language": (
        "[una *palabra*]{lang=es} [كلمة]{lang=ar dir=rtl}",
        '<p><span lang="es">una <em>palabra</em></span> <span lang="ar" dir="rtl">كلمة</span></p>',
    ),
    "words in brackets": ("[a] [b] (c) [d][e] {f} [g] {h} {{i}}", "<p>[a] [b] (c) [d][e] {f} [g] {h} {{i}}</p>"),
    "a reference before braces": (
        "[a]{lang=es}\n\n[a]: https://example.org",
        '<p><a href="https://example.org" lang="es">a</a></p>',
    ),
    "braces as signs": ("a \\{#b} [c](https://example.org) \\{.button} \\{lang=es\\} `{.d}`",
        '<p>a {#b} <a href="https://example.org">c</a> {.button} {lang=es} <code>{.d}</code></p>'),
    "control character by number": ("<p>a&#1;b&#133;c</p>", "<p>ab…c</p>"),
    "no-break spaces": ("a\u00a0\n\u00a0b&nbsp;", "<p>a&nbsp; &nbsp;b&nbsp;</p>"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "html"), MARKDOWN.values(), ids=MARKDOWN)
def test_markdown_becomes_html_on_one_line(tmp_path, body, html):
    assert rendered(tmp_path, body) == html


PLAIN = "is not kept in a mail; write it in Markdown or take it out"
UNWELCOME = {
    "script": ("<script>alert(1)</script>", [f"9: raw HTML: <script> {PLAIN}"]),
    "script within words": ("a <script>alert(1)</script> b", [f"9: raw HTML: <script> {PLAIN}"]),
    "script in capitals": ("<SCRIPT SRC=//example.org/x></SCRIPT>", [f"9: raw HTML: <script> {PLAIN}"]),
    "style": ("<style>\np { color: red }\n</style>", [f"9: raw HTML: <style> {PLAIN}"]),
    "form": (
        "<form action=x>\n<input name=y>\n<button>z</button></form>",
        [f"9: raw HTML: <form> {PLAIN}", f"10: raw HTML: <input> {PLAIN}", f"11: raw HTML: <button> {PLAIN}"],
    ),
    "event handler": (
        '<p onclick="x()">a</p>',
        ["9: raw HTML: attribute “onclick” of <p> is not kept in a mail; take it out"],
    ),
    "event handler within words": (
        "a\nb <b onmouseover=x style=y>c</b>",
        [
            "10: raw HTML: attribute “onmouseover” of <b> is not kept in a mail; take it out",
            "10: raw HTML: attribute “style” of <b> is not kept in a mail; take it out",
        ],
    ),
    "frame": ("<iframe src=x></iframe>", [f"9: raw HTML: <iframe> {PLAIN}"]),
    "drawing": ("<svg onload=x></svg>", [f"9: raw HTML: <svg> {PLAIN}"]),
    "link": (
        "<a href='javascript:x'>a</a>",
        ["9: raw HTML: <a> is not kept in a mail; write [what it leads to](address)"],
    ),
    "picture": (
        "<img src=x onerror=y>",
        ["9: raw HTML: <img> is not kept in a mail; write ![what it shows](images/name.png)"],
    ),
    "heading": ("<h1>a</h1>", ["9: raw HTML: <h1> is not kept in a mail; write it with #"]),
    "in a list": ("- a\n- b <script>c</script>", [f"10: raw HTML: <script> {PLAIN}"]),
    "attribute of code": ("`a`{onclick=b}", ["9: attribute “onclick” is not kept in a mail; known here are: none"]),
}  # fmt: skip


@pytest.mark.parametrize(("body", "told"), UNWELCOME.values(), ids=UNWELCOME)
def test_raw_html_that_no_mail_should_hold_is_reported(tmp_path, body, told):
    assert mistakes(tmp_path, f"{FRONT}# S\n\n## A\n\n{body}\n") == told


LOST = (
    "would be mailed as it is; put it right behind the words of a heading, a link or [words], without a blank or line "
    "break between; where it is meant, write \\{"
)
KNOWN = "is not kept in a mail; known here are: dir, lang"
BRACES = {
    "unknown": ("[a]{color=red #b}", [f"9: attribute “color” {KNOWN}", f"9: attribute “id” {KNOWN}"]),
    "event handler": ("[a]{onclick=b}", [f"9: attribute “onclick” {KNOWN}"]),
    "no language": ("[a]{lang=Spanish}", ["9: “Spanish” is no language tag; write one such as lang=fr or lang=pt-BR"]),
    "no direction": ("[a]{dir=right}", ["9: “right” is no direction; write dir=rtl, dir=ltr or dir=auto"]),
    "of a link": (
        "[a](https://example.org){lang=Spanish}",
        ["9: “Spanish” is no language tag; write one such as lang=fr or lang=pt-BR"],
    ),
    "button without address": (
        "[Read it]{.button}",
        ["9: a {.button} needs an address; write [what it leads to](address){.button}"],
    ),
    "empty": ("[a]{}", ["9: these braces say nothing; write [words]{lang=fr}, or take braces and brackets out"]),
    "a blank before": ("[a](https://example.org) {.button}", [f"9: “{{.button}}” {LOST}"]),
    "no dot": ("[a](https://example.org){button}", [f"9: “{{button}}” {LOST}"]),
    "below the heading": ("{#b topics=cooperatives}\n\nc", [f"9: “{{#b topics=cooperatives}}” {LOST}"]),
    "after plain words": ("a\nb {lang=fr} c", [f"10: “{{lang=fr}}” {LOST}"]),
}  # fmt: skip


@pytest.mark.parametrize(("body", "told"), BRACES.values(), ids=BRACES)
def test_braces_that_would_be_lost_or_mailed_as_they_are_are_reported(tmp_path, body, told):
    assert mistakes(tmp_path, f"{FRONT}# S\n\n## A\n\n{body}\n") == told


def test_words_in_another_language_are_words_in_the_text_part(tmp_path):
    (story,) = read(tmp_path, f"{FRONT}# S\n\n## A\n\nIt is [una palabra]{{lang=es}}.\n").stories
    assert story.body.text == "It is una palabra."


class Nothing:
    """Assets that find everything where it is said to be."""

    def link(self, href: str, line: int) -> str:
        return href

    def picture(self, source: str, alt: str, line: int) -> None:
        return None


ATTACKS = [
    "<script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</script>",
    "<style>@import 'x'</style>",
    "<form action=x><input><button formaction=y>",
    '<b onclick="x" onmouseover=y style="background:url(x)">',
    "<svg/onload=x><math><mi xlink:href=javascript:x>",
    "[a](javascript:alert)",
    "[a](JAVA&#115;CRIPT:alert)",
    "[a](vbscript:x) <javascript:x> [a](data:text/html,x)",
    "<a href=javascript:x>b</a>",
    "<a href='java\tscript:x'>b</a>",
    "![a](x){onerror=y}",
    "`a`{onclick=b style=c}",
    "<iframe srcdoc='<script>x</script>'><object data=x><embed src=x><link href=x>",
    "<meta http-equiv=refresh><base href=x>",
    "<!--[if mso]><script>x</script><![endif]-->",
    "<noscript><p title='</noscript><img src=x onerror=y>'>",
    "</td></tr></table></mj-table><mj-raw>",
]
SAFE_TAGS = set(
    "a abbr b bdi bdo blockquote br cite code del dfn em h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s small "
    "span strong sub sup table tbody td tfoot th thead tr u ul".split()
)
SAFE_ATTRIBUTES = set("align alt class colspan dir height href lang role rowspan scope src start title width".split())


def assert_harmless(markdown: str) -> None:
    """Reported or not: the allow-list is the wall behind the reports."""
    html = Writer(Nothing(), lambda line, what: None).prose(parse(markdown)).html
    for element in lxml_html.fragment_fromstring(html, create_parent="p").iterdescendants():
        assert element.tag in SAFE_TAGS
        assert set(element.attrib) <= SAFE_ATTRIBUTES
        assert re.match(r"(https?|mailto|tel|cid):|[^:]*$", element.get("href", "")), element.get("href")
    assert "\n" not in html


@pytest.mark.parametrize("around", ["{}", "words {} words", "- {}", "> {}", "### {}", "| {} |\n|---|\n| {} |"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_no_script_style_handler_or_form_gets_through(attack, around):
    assert_harmless(around.replace("{}", attack))


@given(st.lists(st.sampled_from([*ATTACKS, "\n\n", "\n", "- ", "> ", "`", "*", "\\", " x "]), max_size=8).map("".join))
def test_no_combination_of_attacks_gets_through(markdown):
    assert_harmless(markdown)


DEEP = "9: HTML is nested more than 64 levels deep here; flatten it"


@pytest.mark.parametrize(
    "body",
    [
        "<b>" * 65 + "x" + "</b>" * 65,
        "<b>" * 20_000 + "x",
        "<table><tr><td>\n" * 40 + "x",
        "> " * 65 + "x",
        ">" * 20_000 + "x",
        "".join("  " * level + "- x\n" for level in range(40)),
        "*a **b " * 40 + "x" + " b** a*" * 40,
    ],
    ids=["tags", "20,000 tags", "tables", "quotations", "20,000 quotations", "lists", "emphasis"],
)
def test_nesting_past_64_levels_is_named_with_its_line(tmp_path, body):
    assert mistakes(tmp_path, f"{FRONT}# S\n\n## A\n\n{body}\n") == [DEEP]


@pytest.mark.parametrize(
    "body",
    ["<b>" * 63 + "x" + "</b>" * 63, "> " * 63 + "x", "".join("  " * level + "- x\n" for level in range(32))],
    ids=["tags", "quotations", "lists"],
)
def test_nesting_of_64_levels_is_kept(tmp_path, body):
    html = rendered(tmp_path, body)
    assert html.count("x") == (32 if body.startswith("-") else 1)
    assert not rawhtml.too_deep(html)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_no_text_is_so_odd_that_it_breaks(text):
    prose = Writer(Nothing(), lambda line, what: None).prose(parse(text))
    assert isinstance(prose.text, str)
    assert rawhtml.words(text) == rawhtml.words(text).strip(" ")
