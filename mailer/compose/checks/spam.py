"""What SpamAssassin holds against the mail, where its verdict was asked for (mailer/spamassassin.py)."""

from __future__ import annotations

from collections.abc import Iterator

from mailer.compose.checks.material import Material
from mailer.compose.checks.rules import rule
from mailer.models import Finding, Severity

_COUNTS = 1.0  # points of one rule; below, honest newsletters gather some all the time

SPAM = rule(
    "MLR180", Severity.WARNING, "SpamAssassin takes the mail for spam", "many servers would put it where nobody looks"
)  # fmt: skip
HIT = rule(
    "MLR181", Severity.NOTE, "a rule of SpamAssassin weighs against the mail",
    "a few of them together, and the mail is taken for spam",
)  # fmt: skip


def check(material: Material) -> Iterator[Finding]:
    """The score, and each rule that adds a point or more; all that add something when the mail is spam."""
    verdict = material.verdict
    if verdict is None:
        return
    is_spam = verdict.score >= verdict.required
    if is_spam:
        text = f"SpamAssassin gives {verdict.score:.1f} points; from {verdict.required:.1f} on a mail is spam"
        yield material.finding(SPAM, text, "mend what the rules named here find, the heaviest first")
    for hit in sorted(verdict.hits, key=lambda hit: -hit.points):
        if hit.points >= (0.1 if is_spam else _COUNTS):
            text = f"{hit.rule} adds {hit.points:.1f} points: {hit.text}"
            yield material.finding(HIT, text, f"look up {hit.rule} in SpamAssassin's list of tests, and mend its cause")
