"""Where links lead, and what their words say of it."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from mailer.compose.checks.anchors import Anchor, anchors
from mailer.compose.checks.material import Material
from mailer.compose.checks.phrases import says_nothing
from mailer.compose.checks.rules import Rule, rule
from mailer.models import Finding, Severity

PLAIN = rule("MLR030", Severity.WARNING, "a link without encryption", "browsers warn the reader before they open it")
LOCAL = rule("MLR031", Severity.ERROR, "a link to a computer that readers can't reach", "it opens an error page")
PLACEHOLDER = rule(
    "MLR032", Severity.ERROR, "an address that was to be replaced", "readers get an error page instead of yours"
)
DOUBLED = rule(
    "MLR033", Severity.WARNING, "a parameter stands twice in an address",
    "the web server may take either: the wrong page opens, or statistics go wrong",
)  # fmt: skip
UTM = rule(
    "MLR034", Severity.WARNING, "campaign parameters are incomplete", "analytics counts such visits as direct ones"
)
MIXED = rule(
    "MLR036", Severity.WARNING, "a host name that mixes scripts",
    "that is how forged addresses look, and filters take it for one",
)  # fmt: skip
VAGUE = rule(
    "MLR037", Severity.WARNING, "a link whose words don't say where it leads",
    "a screen reader lists links without the text around them (WCAG 2.4.4)",
)  # fmt: skip
AMBIGUOUS = rule(
    "MLR038", Severity.WARNING, "the same words link to two places", "who hears only the links can't tell them apart"
)
MAILTO = rule(
    "MLR039", Severity.ERROR, "a mail address that is none", "the reader's mail program opens an empty message"
)
SHORT = rule(
    "MLR040", Severity.WARNING, "a shortened address",
    "readers can't see where it leads, and spam filters distrust the services that spammers use",
)  # fmt: skip
OTHER = rule(
    "MLR041", Severity.ERROR, "the words of a link are another address",
    "that is what phishing looks like; mail programs warn or refuse",
)  # fmt: skip
INSIDE = rule(
    "MLR043", Severity.WARNING, "a link inside the mail",
    "Gmail and Outlook on phones don't follow it (caniemail: html-anchor-links)",
)  # fmt: skip
DEAD = rule("MLR044", Severity.ERROR, "a link that leads nowhere", "the reader gets an error page")
DOUBTFUL = rule(
    "MLR045", Severity.WARNING, "a link that could not be tried", "nobody knows whether the reader gets a page"
)
MOVED = rule("MLR046", Severity.NOTE, "a page has moved for good", "the old address may end one day")

_PLACEHOLDER = re.compile(
    r"\b(?:todo|tbd|tbc|fixme|lorem|xxx+|placeholder)\b|\{\{|\}\}|%%|\[\[|\.\.\.|…"
    r"|//(?:www\.)?(?:your-?(?:domain|site|website|company)|my-?(?:domain|site)|domain|site|website|link|url|address)"
    r"(?:\.[a-z]+)?(?:[/?#]|$)",
    re.IGNORECASE,
)
_UTM = ("utm_source", "utm_medium", "utm_campaign")
_SHORTENERS = set(
    "bit.ly bitly.com tinyurl.com goo.gl t.co ow.ly is.gd buff.ly cutt.ly rebrand.ly rb.gy shorturl.at tiny.cc lnkd.in "
    "t.ly v.gd s.id bl.ink fb.me dlvr.it soo.gd clck.ru qrco.de".split()
)
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|[\w-]+(?:\.[\w-]+)*\.(?:org|com|net|int|edu|gov|info|eu|ch)(?:/\S*)?")
_MAILBOX = re.compile(r"[^\s@/,;:<>]+@[^\s@/,;:<>]+\.[^\s@/,;:<>.]+")
_INSIDE = re.compile(r'href="(#[^"]*)"')


def check(material: Material) -> Iterator[Finding]:
    """Each link as it is written, then all of them together, then what those asked said."""
    written = list(anchors(material))
    for anchor in written:
        yield from _addressed(material, anchor)
        yield from _worded(material, anchor)
    yield from _ambiguous(material, written)
    for href in dict.fromkeys(_INSIDE.findall(material.samples[0].html)):
        path, line = material.template_line(f'href="{href[:1]}')
        text = f"“{href}” leads to another place of the mail"
        yield material.finding(INSIDE, text, 'lead to the web edition: {{ slot("web_url") }}#id', line, path=path)
    yield from _answered(material, written)


def _addressed(material: Material, anchor: Anchor) -> Iterator[Finding]:
    def found(rule: Rule, text: str, fix: str) -> Finding:
        return material.finding(rule, text, fix, anchor.line, anchor.story)

    url = anchor.url
    if _PLACEHOLDER.search(url):
        yield found(PLACEHOLDER, f"“{url}” looks like a placeholder", "write the address it should lead to")
        return
    if url.startswith("mailto:"):
        who = unquote(url.removeprefix("mailto:").partition("?")[0])
        if not all(_MAILBOX.fullmatch(one) for one in who.split(",")):
            yield found(MAILTO, f"“{url}” names no address", "write mailto:name@example.org, without // or blanks")
        return
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return
    host = (parts.hostname or "").rstrip(".")
    if _local(host):
        yield found(LOCAL, f"“{url}” is on your own computer or network", "write the address readers can open")
        return
    if parts.scheme == "http":
        yield found(PLAIN, f"“{url}” begins with http://", "write https:// and try it in a browser")
    if mixed := _mixed(host):
        yield found(MIXED, f"“{mixed}” mixes letters of several scripts", "type the address anew, and see who owns it")
    if host.removeprefix("www.") in _SHORTENERS:
        yield found(SHORT, f"“{url}” is a shortened address", "open it, and write the address you get to")
    yield from (found(*said) for said in _parameters(parts))


def _parameters(parts: SplitResult) -> Iterator[tuple[Rule, str, str]]:
    given = Counter(name for name, _ in parse_qsl(parts.query, keep_blank_values=True))
    filled = {name for name, value in parse_qsl(parts.query) if value}
    doubled = [name for name, count in given.items() if count > 1 and not name.endswith("[]")]
    if doubled:
        yield DOUBLED, f"“{parts.geturl()}” has {' and '.join(doubled)} twice", "keep one of them"
    missing = [name for name in _UTM if name not in filled]
    if missing and any(name.startswith("utm_") for name in given):
        yield UTM, f"“{parts.geturl()}” has no {' and no '.join(missing)}", f"add {missing[0]}=, or take all utm_ out"


def _local(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.rpartition(".")[2] in ("localhost", "local", "internal", "lan", "home", "test")


def _mixed(host: str) -> str:
    """The label that holds letters of more than one script; Japanese and Korean mix by nature (UTS 39 section 5.2)."""
    for label in host.split("."):
        try:
            shown = label.encode("ascii").decode("idna") if label.startswith("xn--") else label
        except UnicodeError:
            continue
        scripts = {unicodedata.name(letter, "?").split()[0] for letter in shown if letter.isalpha()}
        if len(scripts) > 1 and not scripts <= {"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "LATIN"}:
            return shown
    return ""


def _worded(material: Material, anchor: Anchor) -> Iterator[Finding]:
    if anchor.pictured:  # images.py looks at their alt texts
        return
    language = (anchor.story.language if anchor.story else "") or material.issue.language
    address = _ADDRESS.fullmatch(anchor.text)
    if address and _host(anchor.text) != _host(anchor.url) and not anchor.url.startswith("mailto:"):
        text = f"“{anchor.text}” leads to {anchor.url}"
        yield material.finding(OTHER, text, "name the page in words", anchor.line, anchor.story)
    elif _MAILBOX.fullmatch(anchor.text) and anchor.text.casefold() != _mailbox(anchor.url):
        text = f"“{anchor.text}” leads to {anchor.url}"
        yield material.finding(OTHER, text, "let both be the same address", anchor.line, anchor.story)
    elif address or says_nothing(anchor.text, language):
        text = f"“{anchor.text}” doesn't say where it leads"
        yield material.finding(
            VAGUE, text, "name the page: [the report on cooperatives](...)", anchor.line, anchor.story
        )


def _host(address: str) -> str:
    host = urlsplit(address if "//" in address else f"//{address}").hostname or ""
    return host.removeprefix("www.")


def _mailbox(url: str) -> str:
    return url.removeprefix("mailto:").partition("?")[0].casefold()


def _ambiguous(material: Material, written: list[Anchor]) -> Iterator[Finding]:
    first: dict[str, Anchor] = {}
    for anchor in written:
        words = anchor.text.casefold()
        before = first.setdefault(words, anchor)
        language = material.issue.language
        if before.url != anchor.url and not says_nothing(words, language):
            text = f"“{anchor.text}” leads to {before.url} on line {before.line}, and elsewhere here"
            yield material.finding(AMBIGUOUS, text, "let the words tell the two apart", anchor.line, anchor.story)


def _answered(material: Material, written: list[Anchor]) -> Iterator[Finding]:
    """What `check --online` heard, once for each address."""
    for url, answer in material.answers.items():
        anchor = next((one for one in written if one.url == url), None)
        if anchor is None:
            continue
        line, story = anchor.line, anchor.story
        if answer.gone:
            yield material.finding(DEAD, f"{url}: {answer.said}", "write the address the page has now", line, story)
        elif answer.doubtful:
            yield material.finding(DOUBTFUL, f"{url}: {answer.said}", "open it in a browser", line, story)
        elif answer.moved:
            yield material.finding(MOVED, f"{url} has moved", f"write {answer.moved}", line, story)
