"""The rules: each with an id that is never reused, how much it matters and why. The family modules declare theirs."""

from __future__ import annotations

from dataclasses import dataclass

from mailer.models import Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing to look for. `title` says what was found in a few words, `why` what a reader would suffer from it."""

    id: str
    severity: Severity
    title: str
    why: str
    fixed: bool = False  # it can't be silenced


RULES: dict[str, Rule] = {}


def rule(id: str, severity: Severity, title: str, why: str, fixed: bool = False) -> Rule:
    """Declare a rule. Raises ValueError when the id is taken."""
    if id in RULES:
        raise ValueError(f"{id} is taken by “{RULES[id].title}”")
    RULES[id] = Rule(id, severity, title, why, fixed)
    return RULES[id]
