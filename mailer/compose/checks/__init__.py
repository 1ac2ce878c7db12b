"""What must hold before an issue goes out. One module a family of rules."""

from __future__ import annotations

from mailer.compose.checks import placeholders, size, topics
from mailer.compose.checks.material import Material
from mailer.models import Finding, Severity

_ORDER = list(Severity)
_FAMILIES = (size, topics, placeholders)


def run(material: Material) -> list[Finding]:
    """Every finding, the gravest first."""
    findings = [finding for family in _FAMILIES for finding in family.check(material)]
    return sorted(findings, key=lambda finding: (_ORDER.index(finding.severity), finding.line, finding.id))
