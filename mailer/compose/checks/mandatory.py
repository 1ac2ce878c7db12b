"""What every mail of a bulk sender must hold, in both of its parts, in every edition."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator

from mailer.compose.checks.material import Material
from mailer.compose.checks.rules import Rule, rule
from mailer.compose.editions import MarkedPage
from mailer.models import Finding, Severity

_LONGEST = 998  # bytes of a line (RFC 5322 section 2.1.1)
_TAGS = re.compile(r"<style.*?</style>|<!--.*?-->|<[^>]+>", re.DOTALL)

UNSUBSCRIBE = rule(
    "MLR050", Severity.ERROR, "no way to leave", "the law asks for it, and readers press “spam” instead", fixed=True
)
PREFERENCES = rule(
    "MLR051", Severity.ERROR, "no way to change interests", "who wants less of it can only leave", fixed=True
)
WEB = rule(
    "MLR052", Severity.ERROR, "no link to the issue on the web", "who sees a broken mail can't read it elsewhere"
)
POSTAL = rule(
    "MLR053", Severity.ERROR, "no postal address", "the law of several countries asks for it (CAN-SPAM section 5)",
    fixed=True,
)  # fmt: skip
EMPTY = rule(
    "MLR054", Severity.ERROR, "the text part holds no story",
    "watches, screen readers and filters read it; an empty one counts as spam",
)  # fmt: skip
LONG = rule(
    "MLR055", Severity.WARNING, "a line of the text part is longer than 998 bytes",
    "mail servers may break it anywhere, also within an address (RFC 5322 section 2.1.1)",
)  # fmt: skip
ORDER = rule(
    "MLR056", Severity.ERROR, "the text part tells other stories, or in another order",
    "filters compare the two parts, and readers of the text miss something",
)  # fmt: skip
_LINKS: tuple[tuple[Rule, str, str], ...] = (
    (UNSUBSCRIBE, "unsubscribe_url", "the unsubscribe link"),
    (PREFERENCES, "preferences_url", "the link to the interests"),
    (WEB, "web_url", "the link to the web edition"),
)
_PARTS = {"html": "page.mjml.j2", "text": "page.txt.j2"}


def check(material: Material) -> Iterator[Finding]:
    """Links and address in both parts of every edition, then the text part."""
    for rule_, slot, name in _LINKS:
        url = getattr(material.personal, slot)
        fix = f'write {{{{ slot("{slot}") }}}} where it should stand'
        yield from _missing(material, rule_, name, _holds(url), fix)
    postal = _plain(material.composition.config.newsletter.postal_address)
    fix = "write {{ newsletter.postal_address }} where it should stand"
    yield from _missing(material, POSTAL, "the postal address", lambda part: postal in _plain(_TAGS.sub("", part)), fix)
    yield from _text(material)


def _holds(words: str) -> Callable[[str], bool]:
    return lambda part: words in part


def _missing(material: Material, rule_: Rule, name: str, holds: Callable[[str], bool], fix: str) -> Iterator[Finding]:
    theme = material.composition.theme.shown
    for part, file in _PARTS.items():
        without = [sample for sample in material.samples if not holds(html.unescape(getattr(sample, part)))]
        if without:
            text = f"{name} is missing in the {'HTML' if part == 'html' else part} part"
            editions = material.editions_of(without)
            yield material.finding(rule_, text, fix, path=f"{theme}/{file}", editions=editions)


def _text(material: Material) -> Iterator[Finding]:
    path = f"{material.composition.theme.shown}/page.txt.j2"
    titles = {story.id: _plain(story.title) for story in material.issue.stories}
    empty = [one for one in material.samples if not any(titles[id_] in _plain(one.text) for id_ in one.selection)]
    if empty:
        fix = "write the stories into it, as the enterprises template does"
        yield material.finding(
            EMPTY, "the text part has no title of a story", fix, path=path, editions=material.editions_of(empty)
        )
    else:
        yield from _order(material, titles, path)
    long = [line for line in material.samples[0].text.splitlines() if len(line.encode("utf-8")) > _LONGEST]
    for line in dict.fromkeys(long):
        text = f"a line of {len(line.encode('utf-8')):,} bytes begins with “{line.strip(' <')[:40]}”"
        where = material.line_of(line.strip(" <>[]0123456789")[:60])
        yield material.finding(LONG, text, "shorten the address in it, or break the word", where)


def _order(material: Material, titles: dict[str, str], path: str) -> Iterator[Finding]:
    composition = material.composition
    shown, told = _stories(composition.html), _stories(composition.text)
    text = _plain(material.samples[0].text)
    lost = [id_ for id_ in shown if id_ not in told and titles[id_] not in text]
    if lost:
        yield material.finding(
            ORDER,
            f"the text part leaves out {', '.join(lost)}",
            "put them between begin(story) and close(story)",
            path=path,
        )
    both = [id_ for id_ in shown if id_ in told]
    if both != [id_ for id_ in told if id_ in both]:
        fix = "go through sections and stories in the order of the issue"
        yield material.finding(
            ORDER, "stories stand in another order in the text part than in the HTML part", fix, path=path
        )


def _stories(page: MarkedPage) -> list[str]:
    """The stories of a page in the order in which they stand."""
    return list(dict.fromkeys(piece.story for piece in page.pieces if piece.story))


def _plain(text: str) -> str:
    return " ".join(html.unescape(text).split())
