"""What must hold before an issue goes out. One module a family of rules."""

from __future__ import annotations

from collections.abc import Iterable

from mailer.compose.checks import (
    accessibility,
    duplicates,
    envelope,
    events,
    images,
    languages,
    links,
    mandatory,
    mjml,
    placeholders,
    reading,
    signs,
    silences,
    size,
    spam,
    spelling,
    styling,
    support,
    targets,
    textpart,
    topics,
    typography,
    wording,
)
from mailer.compose.checks.material import Material
from mailer.compose.checks.rules import RULES, rule
from mailer.models import Finding, Problem, Severity

_ORDER = list(Severity)
_FAMILIES = (
    size, images, links, mandatory, textpart, accessibility, styling, targets, support, mjml, topics,
    placeholders, envelope, duplicates, events, wording, typography, signs, reading, languages, spelling, spam,
)  # fmt: skip

MISTAKE = rule(
    "MLR000", Severity.ERROR, "a mistake in the issue, the template or the configuration",
    "nothing can be composed before it is mended", fixed=True,
)  # fmt: skip

__all__ = ["RULES", "Material", "mistakes", "run"]


def run(material: Material) -> list[Finding]:
    """Every finding, the gravest first. Those that the author silenced carry the reason in `silenced`."""
    found = [finding for family in _FAMILIES for finding in family.check(material)]
    return sorted(silences.apply(found, material), key=_gravity)


def mistakes(problems: Iterable[Problem]) -> list[Finding]:
    """What kept an issue from being composed, as findings: for programs that want one list of everything."""
    return [
        Finding(MISTAKE.id, MISTAKE.severity, one.path, one.line, one.text, "mend it and check again", MISTAKE.why)
        for one in problems
    ]


def _gravity(finding: Finding) -> tuple[int, str, int, str]:
    return _ORDER.index(finding.severity), finding.path, finding.line, finding.id
