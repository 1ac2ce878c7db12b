"""MLR013: words that `mailer init` and `mailer new` wrote to be replaced."""

from __future__ import annotations

from collections.abc import Iterator

from mailer.compose.composition import Composition
from mailer.models import Finding, Severity

SUBJECT = "say in 60 characters what is in it"
PREHEADER = "The line that stands beside the subject in the inbox, 40 to 110 characters"
STORY = "The title of the first story"
ADDRESS = "Your institution, street, town, country"


def check(composition: Composition) -> Iterator[Finding]:
    """Every such text that is still there."""
    issue, newsletter = composition.issue, composition.config.newsletter
    path = f"issues/{issue.slug}/issue.md"
    found = []
    if SUBJECT in issue.subject:
        found.append((path, 0, SUBJECT, "write the subject in the front matter"))
    if PREHEADER in issue.preheader:
        found.append((path, 0, PREHEADER, "write the preheader in the front matter"))
    found += [(path, story.line, STORY, "write its title") for story in issue.stories if story.title == STORY]
    if newsletter.postal_address == ADDRESS:
        found.append(("mailer.toml", 0, ADDRESS, "write your postal_address under [newsletter]"))
    for where, line, text, fix in found:
        yield Finding("MLR013", Severity.WARNING, where, line, f"“{text}” would be mailed as it is", fix)
