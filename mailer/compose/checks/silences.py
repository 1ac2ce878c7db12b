"""What an author has looked at and keeps: a key of the front matter.

    silence:
      MLR025: the shop's own short address is printed on the posters
      MLR025 tokyo-2020: the same, for one story

A silenced finding is still found; it is counted, and no exit code depends on it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches

from mailer.compose.checks.material import Material
from mailer.compose.checks.rules import RULES, rule
from mailer.errors import nearest
from mailer.models import Finding, Severity, Silence

IDLE = rule(
    "MLR014", Severity.NOTE, "a silence that silences nothing",
    "it would hide the next such fault, which nobody has looked at", fixed=True,
)  # fmt: skip


def read(
    given: Sequence[tuple[str, str, int]], stories: Sequence[str], report: Callable[[int, str], None]
) -> tuple[Silence, ...]:
    """Each (what, reason, line) as a silence. Unknown rules and stories are reported, and rules that must be heard."""
    silences = []
    for what, reason, line in given:
        id_, _, story = what.partition(" ")
        story = story.strip().removeprefix("#")
        if id_ not in RULES:
            close = get_close_matches(id_.upper(), sorted(RULES), n=1, cutoff=0.8)
            near = f"Did you mean “{close[0]}”?" if close else "docs/checks.md lists them."
            report(line, f"there is no rule “{id_}”. {near}")
        elif RULES[id_].fixed:
            report(line, f"{id_} ({RULES[id_].title}) cannot be silenced; mend what it finds")
        if story and story not in stories:
            report(line, f"there is no story “{story}”. {nearest(story, stories)}")
        silences.append(Silence(id_, story, reason, line))
    return tuple(silences)


def apply(findings: Iterable[Finding], material: Material) -> Iterator[Finding]:
    """The findings, those silenced with their reason; and a note for each silence without any."""
    idle = list(material.issue.silences)
    for finding in findings:
        heeded = [one for one in material.issue.silences if _meets(one, finding)]
        idle = [one for one in idle if one not in heeded]
        yield dataclasses.replace(finding, silenced=heeded[0].reason) if heeded else finding
    for one in idle:
        where = f" in the story “{one.story}”" if one.story else ""
        yield material.finding(IDLE, f"{one.rule} finds nothing{where}", "take this line out", one.line)


def _meets(silence: Silence, finding: Finding) -> bool:
    return silence.rule == finding.id and silence.story in ("", finding.story)
