"""Words that `mailer init` and `mailer new` wrote to be replaced, and topics that `mailer import` proposed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailer.compose.checks.material import Material
from mailer.compose.checks.rules import rule
from mailer.models import Finding, Severity

SUBJECT = "say in 60 characters what is in it"
PREHEADER = "The line that stands beside the subject in the inbox, 40 to 110 characters"
STORY = "The title of the first story"
ADDRESS = "Your institution, street, town, country"
PROPOSED = "proposed:"  # begins the comment under a heading whose topics were proposed
_PROPOSAL = re.compile(rf"\s*<!--\s*{PROPOSED}")

LEFT = rule("MLR013", Severity.WARNING, "words of the example were left in", "they would be mailed as they are")
UNSEEN = rule(
    "MLR123", Severity.WARNING, "topics that were proposed by words alone",
    "whether a story concerns these readers, only somebody who has read it can say",
)  # fmt: skip


def check(material: Material) -> Iterator[Finding]:
    """Every such text that is still there."""
    issue, newsletter = material.issue, material.composition.config.newsletter
    if SUBJECT in issue.subject:
        yield _left(material, SUBJECT, "write the subject in the front matter", material.key_line("subject"))
    if PREHEADER in issue.preheader:
        yield _left(material, PREHEADER, "write the preheader in the front matter", material.key_line("preheader"))
    for story in material.issue.stories:
        if story.title == STORY:
            yield _left(material, STORY, "write its title", story.line)
    if newsletter.postal_address == ADDRESS:
        yield _left(material, ADDRESS, "write your postal_address under [newsletter]", 0, material.configuration)
    for number, line in enumerate(material.source, 1):
        if _PROPOSAL.match(line):
            home = next((one for one in material.issue.stories if number in material.span(one)), None)
            text = "its topics are a proposal of `mailer import`, which nobody has confirmed"
            fix = "keep or change topics= in the heading, then cut this comment"
            yield material.finding(UNSEEN, text, fix, number, home)


def _left(material: Material, words: str, fix: str, line: int, path: str = "") -> Finding:
    return material.finding(LEFT, f"the words “{words}” are from the example", fix, line, path=path)
